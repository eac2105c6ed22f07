package issuance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// RootRevocationError reports an attempt to revoke a root, which no relying party would notice.
type RootRevocationError struct{ Subject string }

func (e *RootRevocationError) Error() string {
	return fmt.Sprintf("%q is a root: no list revokes it", e.Subject)
}

// Changed is the result of a revocation, or of ending a hold.
type Changed struct {
	Certificates []ledger.Certificate // as they are in the ledger now
	Behind       []ledger.Authority   // whose CRLs must be made for it to take effect
	Warnings     []string
}

// add adds the result of another revocation, and names no authority twice.
func (c *Changed) add(other *Changed) {
	c.Certificates = append(c.Certificates, other.Certificates...)
	c.Warnings = append(c.Warnings, other.Warnings...)
	for _, a := range other.Behind {
		if !slices.ContainsFunc(c.Behind, func(b ledger.Authority) bool { return a.Name == b.Name }) {
			c.Behind = append(c.Behind, a)
		}
	}
}

// ToRevoke returns those of the selected certificates that can be revoked for a reason. If a
// selector has none, the error has the reason, if possible as the ledger's error.
func (s *Service) ToRevoke(ctx context.Context, all []Selector, reason ca.Reason) (*Selection, error) {
	now := s.now()
	return s.choose(ctx, all, func(c *ledger.Certificate) error {
		switch state := c.State(now); {
		case c.Kind == ledger.Root:
			return &RootRevocationError{c.Subject}
		case state == ledger.Revoked, state == ledger.Held && reason == ca.CertificateHold:
			return &ledger.RevokedError{Fingerprint: c.Fingerprint, Subject: c.Subject, At: *c.RevokedAt, Reason: c.Reason}
		case now.After(c.NotAfter) && !s.renewable(ctx, c):
			return fmt.Errorf("the certificate %q (serial %s) expired on %s: nobody accepts it any more", c.Subject, c.Serial, rfc3339(c.NotAfter))
		}
		return nil
	})
}

// renewable reports whether an expired certificate could be renewed: it is the newest of its
// lineage, and revoking it ends that.
func (s *Service) renewable(ctx context.Context, c *ledger.Certificate) bool {
	newest, err := s.ledger.Newest(ctx, *c)
	return err == nil && c.Kind == ledger.Leaf && newest.Seq == c.Seq
}

// Revoke revokes certificates, all or none, at this moment. why is recorded in the ledger. Those
// that ToRevoke found only in a file are recorded after the others, as revoked.
func (s *Service) Revoke(ctx context.Context, certs []ledger.Certificate, reason ca.Reason, why string) (*Changed, error) {
	r := ledger.Revocation{Reason: reason, At: s.now(), Why: why}
	var known, unknown []ledger.Certificate
	for _, c := range certs {
		if c.Seq == 0 {
			unknown = append(unknown, c)
		} else {
			known = append(known, c)
		}
	}
	if len(known) > 0 {
		if err := s.ledger.Revoke(ctx, fingerprints(known), r); err != nil {
			return nil, err
		}
	}
	if err := s.takeIn(ctx, unknown, r); err != nil {
		return nil, err
	}
	changed, err := s.changed(ctx, certs)
	if err != nil {
		return nil, err
	}
	// Source: IAM Roles Anywhere User Guide, "Revocation": a list must be signed by a CA that the
	// trust anchor holds.
	for _, a := range changed.Behind {
		if KindOf(a.Certificate) == ledger.Intermediate {
			changed.Warnings = append(changed.Warnings, fmt.Sprintf("the list of the intermediate %q can be imported only where its certificate is itself registered as a trust anchor; elsewhere revoke the intermediate, or wait until the certificate expires", a.Name))
		}
	}
	return changed, nil
}

// ToRelease returns those of the named certificates that are on hold.
func (s *Service) ToRelease(ctx context.Context, all []Selector) (*Selection, error) {
	return s.choose(ctx, all, func(c *ledger.Certificate) error {
		if c.RevokedAt != nil && c.State(*c.RevokedAt) == ledger.Held {
			return nil
		}
		return &ledger.NotHeldError{Fingerprint: c.Fingerprint, Subject: c.Subject, Revoked: c.RevokedAt != nil, Reason: c.Reason}
	})
}

// Release ends the hold of certificates, all or none. why is recorded in the ledger.
func (s *Service) Release(ctx context.Context, certs []ledger.Certificate, why string) (*Changed, error) {
	if err := s.ledger.Release(ctx, fingerprints(certs), why); err != nil {
		return nil, err
	}
	return s.changed(ctx, certs)
}

// changed re-reads certificates, and the authorities that issued them.
func (s *Service) changed(ctx context.Context, certs []ledger.Certificate) (*Changed, error) {
	c := &Changed{}
	for _, one := range certs {
		now, err := s.ledger.Certificate(ctx, one.Fingerprint)
		if err != nil {
			return nil, err
		}
		c.Certificates = append(c.Certificates, now)
	}
	all, err := s.ledger.Authorities(ctx)
	c.Behind = slices.DeleteFunc(all, func(a ledger.Authority) bool {
		return !slices.ContainsFunc(certs, func(c ledger.Certificate) bool { return c.IssuedBy(a.Certificate) })
	})
	return c, err
}

func fingerprints(certs []ledger.Certificate) [][]byte {
	var all [][]byte
	for _, c := range certs {
		all = append(all, c.Fingerprint)
	}
	return all
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
