package issuance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kedge/ca/ledger"
)

// Status is the state of a CA. The tags are those of kedge-ca's JSON.
type Status struct {
	Authorities  []AuthorityStatus `json:"authorities"`
	Certificates Counts            `json:"certificates"`
	Leaves       LeavesStatus      `json:"leaves"`   // without successor, that need one
	Rotation     string            `json:"rotation"` // none, started or switched
	Ledger       string            `json:"ledger"`
	Head         string            `json:"head"` // SEQ:HASH
	Needs        []string          `json:"needs"`
	Warnings     []string          `json:"warnings,omitempty"` // about certificates that were issued elsewhere

	clones int // hosts with a copy
}

// AuthorityStatus is the state of an authority.
type AuthorityStatus struct {
	Name               string     `json:"name"`
	Subject            string     `json:"subject"`
	Kind               string     `json:"kind"`  // root or intermediate
	State              string     `json:"state"` // active, next or retired
	Issuing            bool       `json:"issuing"`
	Parent             string     `json:"parent,omitempty"`
	NotAfter           time.Time  `json:"not_after"`
	KeyHere            bool       `json:"key_here"`
	CertificateRevoked bool       `json:"certificate_revoked"` // its own, or one above it
	Revoked            int        `json:"revoked"`             // not expired: the entries of its next CRL
	Unlisted           int        `json:"unlisted"`            // changes since the last CRL
	CRL                *CRLStatus `json:"crl,omitempty"`

	aboutList error // what is wrong with the last CRL as published
}

// CRLStatus describes the last complete CRL of an authority.
type CRLStatus struct {
	Number     int64     `json:"number"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Entries    int64     `json:"entries"`
	Size       int64     `json:"size"` // bytes of DER
}

// Counts count the certificates of the ledger by state; held ones are counted as revoked too.
type Counts struct {
	Total   int64 `json:"total"`
	Valid   int64 `json:"valid"`
	Pending int64 `json:"pending"`
	Expired int64 `json:"expired"`
	Revoked int64 `json:"revoked"`
	Held    int64 `json:"held"`
}

// Status returns the state of the authorities, their CRLs, the rotation and the ledger, and lists
// what the operator should do. It opens no key.
func (s *Service) Status(ctx context.Context) (*Status, error) {
	now := s.now()
	var n states
	var failed error
	var group sync.WaitGroup
	group.Go(func() { n, failed = s.states(ctx, now) }) // concurrently: it takes as long as the rest
	c, err := s.status(ctx, now)
	group.Wait()
	if err = cmp.Or(err, failed); err != nil {
		return nil, err
	}
	c.Certificates = n.of(c.Certificates.Total)
	return c, nil
}

// status is Status without the counts of certificates by state.
func (s *Service) status(ctx context.Context, now time.Time) (*Status, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	c := &Status{Authorities: []AuthorityStatus{}, Ledger: s.ledger.Where(), Needs: []string{}}
	for _, a := range all {
		one, err := s.authorityStatus(ctx, a, now)
		if err != nil {
			return nil, err
		}
		if one.CertificateRevoked, err = s.isRevoked(ctx, a.Name); err != nil {
			return nil, err
		}
		c.Authorities = append(c.Authorities, *one)
		c.Needs = append(c.Needs, one.needs(a.Certificate.NotBefore, now)...)
	}
	if err := s.takeOverStatus(ctx, c); err != nil {
		return nil, err
	}
	if err := s.comparedStatus(ctx, c); err != nil {
		return nil, err
	}
	if err := s.rotationStatus(ctx, c); err != nil {
		return nil, err
	}
	if err := s.leavesStatus(ctx, c, now); err != nil {
		return nil, err
	}
	if err := s.cloneStatus(ctx, c); err != nil {
		return nil, err
	}
	if err := s.sessionStatus(ctx, c, now); err != nil {
		return nil, err
	}
	if c.Certificates.Total, err = s.ledger.Count(ctx, ledger.Filter{}); err != nil {
		return nil, err
	}
	seq, hash, err := s.ledger.Head(ctx)
	c.Head = fmt.Sprintf("%d:%x", seq, hash)
	return c, err
}

func (s *Service) authorityStatus(ctx context.Context, a ledger.Authority, now time.Time) (*AuthorityStatus, error) {
	one := &AuthorityStatus{Name: a.Name, Subject: a.Certificate.Subject.String(), Kind: KindOf(a.Certificate), State: a.State,
		Issuing: a.Issuing, Parent: a.Parent, NotAfter: a.Certificate.NotAfter.UTC()}
	var err error
	if one.KeyHere, err = s.keys.Has(a.Name); err != nil {
		return nil, err
	}
	revoked, err := s.revoked(ctx, a, now)
	if err != nil {
		return nil, err
	}
	last, err := s.lastCRL(ctx, a)
	if isAboutList(err) {
		one.aboutList = err
	} else if err != nil {
		return nil, err
	}
	one.Revoked, one.Unlisted = len(revoked), last.unlisted(revoked)
	if last.record != nil && last.record.Issuer != keyID(a) { // the CRL has a former key identifier
		one.Unlisted = len(revoked)
	}
	if r := last.record; r != nil {
		one.CRL = &CRLStatus{Number: r.Number, ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate, Entries: r.Entries, Size: r.Size}
	}
	return one, nil
}

// rotationStatus adds the phase of the rotation, and what to do about it.
func (s *Service) rotationStatus(ctx context.Context, c *Status) error {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		c.Rotation = PhaseNone
		c.Needs = append(c.Needs, "there is no authority in the ledger: run kedge-ca init again")
		return nil
	}
	r, err := s.Rotation(ctx)
	if err != nil {
		c.Needs = append(c.Needs, err.Error())
		return nil
	}
	c.Rotation = r.Phase()
	if c.Rotation != PhaseNone {
		c.Needs = append(c.Needs, fmt.Sprintf("the rotation from %s to %s is not finished: kedge-ca rotate status", r.Old.Name, r.Next.Name))
	}
	return nil
}

// states are the numbers of certificates by state, except valid ones.
type states struct {
	ended, pending, revoked, held int64 // ended: in any other state as well
	revokedLater, heldLater       int64 // of those revoked, the ones that have not expired
}

// states counts the certificates by state.
func (s *Service) states(ctx context.Context, now time.Time) (n states, err error) {
	for _, one := range []struct {
		n *int64
		f ledger.Filter
	}{
		{&n.ended, ledger.Filter{ExpiresBefore: now}},
		{&n.pending, ledger.Filter{State: ledger.Pending}},
		{&n.revoked, ledger.Filter{State: ledger.Revoked}},
		{&n.held, ledger.Filter{State: ledger.Held}},
		{&n.revokedLater, ledger.Filter{State: ledger.Revoked, ExpiresAfter: now}},
		{&n.heldLater, ledger.Filter{State: ledger.Held, ExpiresAfter: now}},
	} {
		if *one.n, err = s.ledger.Count(ctx, one.f); err != nil {
			return n, err
		}
	}
	return n, nil
}

// of returns the counts where there are total certificates.
func (n states) of(total int64) Counts {
	revoked, later := n.revoked+n.held, n.revokedLater+n.heldLater
	return Counts{Total: total, Valid: total - n.ended - later - n.pending, Pending: n.pending, Expired: n.ended - (revoked - later), Revoked: revoked, Held: n.held}
}

// isRevoked reports whether NotRevoked refuses an authority. An incomplete path is not reported
// here.
func (s *Service) isRevoked(ctx context.Context, name string) (bool, error) {
	path, err := s.Path(ctx, name)
	if err != nil {
		return false, nil
	}
	err = s.NotRevoked(ctx, path)
	if _, revoked := errors.AsType[*RevokedAuthorityError](err); revoked {
		return true, nil
	}
	return false, err
}
