package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"kedge/ca/ledger"
)

// rotation says where a CA stands between two roots. What it goes by is in the ledger alone,
// and each step ends with one entry there, so a step that was interrupted can be run again.
//
//	start   the new root is recorded in the state next; bundle has both
//	switch  an authority below the new root issues, then the new root is active
//	finish  the authorities of the old root are retired, then the root itself; bundle has the new one
//	abort   as finish, with the new root, and only before switch
type rotation struct {
	all     []ledger.Authority
	old     ledger.Authority  // the only root, when next is nil
	next    *ledger.Authority // the new root; nil: no rotation is under way
	issuing ledger.Authority
}

// The phases of a rotation.
const (
	phaseNone     = "none"
	phaseStarted  = "started"
	phaseSwitched = "switched"
)

// rotation reads the authorities of the ledger.
func (s *store) rotation(ctx context.Context) (*rotation, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	r := &rotation{all: all}
	if i := slices.IndexFunc(all, func(a ledger.Authority) bool { return a.Issuing }); i >= 0 {
		r.issuing = all[i]
	}
	roots := r.roots()
	switch len(roots) {
	case 0:
		return nil, errors.New("the ledger has no root that is in use")
	case 1:
		r.old = roots[0]
		return r, nil
	case 2:
	default:
		return nil, fmt.Errorf("the ledger has %d roots in use; a trust anchor holds %d at most", len(roots), maxAnchors)
	}
	// The new root is the one marked as such or, after the switch, the one above the issuer.
	isNew := func(a ledger.Authority) bool { return a.State == ledger.Next }
	if !slices.ContainsFunc(roots, isNew) {
		root := r.rootOf(r.issuing.Name)
		isNew = func(a ledger.Authority) bool { return a.Name == root }
	}
	r.old, r.next = roots[0], &roots[1]
	if isNew(roots[0]) {
		r.old, r.next = roots[1], &roots[0]
	}
	return r, nil
}

// roots are those in use, in the order in which they were numbered.
func (r *rotation) roots() []ledger.Authority {
	var roots []ledger.Authority
	for _, a := range r.all {
		if a.Parent == "" && a.State != ledger.Retired {
			roots = append(roots, a)
		}
	}
	slices.SortFunc(roots, func(a, b ledger.Authority) int { return rootNumber(a.Name) - rootNumber(b.Name) })
	return roots
}

// rootNumber is the number in the name of a root: 1 for ca, 2 for ca-2, 0 for another name.
func rootNumber(name string) int {
	n := 0
	if name == rootName {
		return 1
	}
	if _, err := fmt.Sscanf(name, rootName+"-%d", &n); err != nil || rootCalled(n) != name {
		return 0
	}
	return n
}

func rootCalled(n int) string {
	if n == 1 {
		return rootName
	}
	return fmt.Sprintf("%s-%d", rootName, n)
}

// newRootName is the first that is free.
func (r *rotation) newRootName() string {
	for n := 1; ; n++ {
		name := rootCalled(n)
		if !slices.ContainsFunc(r.all, func(a ledger.Authority) bool { return a.Name == name }) {
			return name
		}
	}
}

// rootOf returns the name of the root above an authority, or its own; empty when the ledger
// does not know it.
func (r *rotation) rootOf(name string) string {
	for range r.all {
		i := slices.IndexFunc(r.all, func(a ledger.Authority) bool { return a.Name == name })
		if i < 0 {
			return ""
		}
		if r.all[i].Parent == "" {
			return name
		}
		name = r.all[i].Parent
	}
	return ""
}

func (r *rotation) phase() string {
	switch {
	case r.next == nil:
		return phaseNone
	case r.rootOf(r.issuing.Name) == r.next.Name:
		return phaseSwitched
	}
	return phaseStarted
}

// below returns the authorities of a root, in use or not, the root last.
func (r *rotation) below(root string) []ledger.Authority {
	var all []ledger.Authority
	for _, a := range r.all {
		if a.Parent != "" && r.rootOf(a.Name) == root {
			all = append(all, a)
		}
	}
	for _, a := range r.all {
		if a.Name == root {
			all = append(all, a)
		}
	}
	return all
}

// byKey maps the key identifiers of issuers, as the ledger has them of leaves, to authorities.
func (r *rotation) byKey() map[string]string {
	names := map[string]string{}
	for _, a := range r.all {
		names[hex.EncodeToString(a.Certificate.SubjectKeyId)] = a.Name
	}
	return names
}

// retire takes a root and all below out of use, the root last: until then the step can be run
// again.
func (s *store) retire(ctx context.Context, r *rotation, root string) error {
	for _, a := range r.below(root) {
		if a.State == ledger.Retired {
			continue
		}
		a.State, a.Issuing = ledger.Retired, false
		if err := s.ledger.SetAuthority(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// idleError says that a step needs a rotation, or one that has come further.
type idleError struct{ text string }

func (e *idleError) Error() string { return e.text }

func notStarted() error { return &idleError{"no rotation is under way"} }
