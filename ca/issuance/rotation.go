package issuance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
)

// RootName is the name of the first root in the ledger; the next are ca-2, ca-3 and so on.
const RootName = "ca"

// Rotation is the state of a CA between two roots. It follows from the ledger alone,
// and each step ends with one entry there, so a step that was interrupted can be repeated.
//
//	start   the new root is recorded in the state next; the trust anchor must get both
//	switch  an authority below the new root issues, then the new root is active
//	finish  the authorities of the old root are retired, then the root itself
//	abort   as finish, for the new root, and only before switch
//	reopen  undoes finish: what it retired is active again
type Rotation struct {
	Old     ledger.Authority  // the only root, if Next is nil
	Next    *ledger.Authority // the new root; nil: no rotation is in progress
	Issuing ledger.Authority
	all     []ledger.Authority
}

// The phases of a rotation.
const (
	PhaseNone     = "none"
	PhaseStarted  = "started"
	PhaseSwitched = "switched"
)

// Rotation reads the authorities of the ledger.
func (s *Service) Rotation(ctx context.Context) (*Rotation, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	r := &Rotation{all: all}
	if i := slices.IndexFunc(all, func(a ledger.Authority) bool { return a.Issuing }); i >= 0 {
		r.Issuing = all[i]
	}
	roots := r.Roots()
	switch len(roots) {
	case 0:
		return nil, errors.New("the ledger has no root that is in use")
	case 1:
		r.Old = roots[0]
		return r, nil
	case 2:
	default:
		return nil, fmt.Errorf("the ledger has %d roots in use; a trust anchor holds %d at most", len(roots), MaxAnchors)
	}
	// The new root is the one marked as such or, after the switch, the one above the issuer.
	isNew := func(a ledger.Authority) bool { return a.State == ledger.Next }
	if !slices.ContainsFunc(roots, isNew) {
		root := r.rootOf(r.Issuing.Name)
		isNew = func(a ledger.Authority) bool { return a.Name == root }
	}
	r.Old, r.Next = roots[0], &roots[1]
	if isNew(roots[0]) {
		r.Old, r.Next = roots[1], &roots[0]
	}
	return r, nil
}

// Roots returns the roots in use, in the order of their numbers.
func (r *Rotation) Roots() []ledger.Authority {
	var roots []ledger.Authority
	for _, a := range r.all {
		if a.Parent == "" && a.State != ledger.Retired {
			roots = append(roots, a)
		}
	}
	slices.SortFunc(roots, func(a, b ledger.Authority) int { return rootNumber(a.Name) - rootNumber(b.Name) })
	return roots
}

// rootNumber returns the number in the name of a root: 1 for ca, 2 for ca-2, 0 for another name.
func rootNumber(name string) int {
	n := 0
	if name == RootName {
		return 1
	}
	if _, err := fmt.Sscanf(name, RootName+"-%d", &n); err != nil || rootCalled(n) != name {
		return 0
	}
	return n
}

func rootCalled(n int) string {
	if n == 1 {
		return RootName
	}
	return fmt.Sprintf("%s-%d", RootName, n)
}

// newRootName returns the first free name.
func (r *Rotation) newRootName() string {
	for n := 1; ; n++ {
		name := rootCalled(n)
		if !slices.ContainsFunc(r.all, func(a ledger.Authority) bool { return a.Name == name }) {
			return name
		}
	}
}

// rootOf returns the name of the root above an authority, or its own; empty if the ledger does not
// have it.
func (r *Rotation) rootOf(name string) string {
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

// Phase returns PhaseNone, PhaseStarted or PhaseSwitched.
func (r *Rotation) Phase() string {
	switch {
	case r.Next == nil:
		return PhaseNone
	case r.rootOf(r.Issuing.Name) == r.Next.Name:
		return PhaseSwitched
	}
	return PhaseStarted
}

// below returns the authorities of a root, in use or not, the root last.
func (r *Rotation) below(root string) []ledger.Authority {
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

// byKey maps the key identifiers of leaves' issuers in the ledger to authorities.
func (r *Rotation) byKey() map[string]string {
	names := map[string]string{}
	for _, a := range r.all {
		key := ca.KeyHash(a.Certificate)
		names[string(key[:])] = a.Name
	}
	return names
}

// lastRetired returns the number of the last retired root, or 0.
func (r *Rotation) lastRetired() int {
	last := 0
	for _, a := range r.all {
		if a.Parent == "" && a.State == ledger.Retired {
			last = max(last, rootNumber(a.Name))
		}
	}
	return last
}
