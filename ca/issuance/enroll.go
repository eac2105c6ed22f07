package issuance

import (
	"context"
	"crypto/x509"
	"iter"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Enrolling is the request of a host that has a token, or was approved.
type Enrolling struct {
	ca.Enrollment              // Proof is ca.ProofToken or ca.ProofApproval
	Presented     ledger.Token // as Service.Presented or Decision returned it
	Profile       *ca.Profile
	Request       ca.Request
}

// Enroll issues a leaf to a host that has a token, or was approved. The caller must have verified that
// the host has the private key of the request. If the same token gave the same key a certificate before, that is
// returned, with Again set. Otherwise errors are those of Prepare and of ledger.Ledger.Record:
// *ledger.TokenError, *ledger.HeldError and *ledger.DeniedError among them. After an error the token
// is as it was before.
func (i *Issuer) Enroll(ctx context.Context, e Enrolling) (*Issued, error) {
	key := ca.KeyHash(&x509.Certificate{PublicKey: e.Request.Public})
	if err := i.service.ledger.CheckToken(ctx, &e.Enrollment, &e.Presented, key[:]); err != nil { // a guess costs no signature and no lock
		return nil, err
	}
	leaf, err := i.Prepare(e.Profile, e.Request)
	if err != nil {
		return nil, err
	}
	leaf.by = &e.Enrollment
	return leaf.Issue(ctx)
}

// AddTokens records tokens, all or none: see ledger.Ledger.AddTokens.
func (s *Service) AddTokens(ctx context.Context, all []ledger.Token) error {
	return s.ledger.AddTokens(ctx, all)
}

// Token returns a token by its ID, or a *ledger.TokenError.
func (s *Service) Token(ctx context.Context, id []byte) (ledger.Token, error) {
	return s.ledger.Token(ctx, id)
}

// Tokens yields all tokens, approvals among them, in the order in which they were made.
func (s *Service) Tokens(ctx context.Context) iter.Seq2[ledger.Token, error] {
	return s.ledger.Tokens(ctx)
}

// RevokeToken revokes a token and, with certificates set, what it gave: see
// ledger.Ledger.RevokeToken. The result has the certificates that were revoked.
func (s *Service) RevokeToken(ctx context.Context, id []byte, certificates bool, why string) (*Changed, error) {
	revoked, err := s.ledger.RevokeToken(ctx, id, certificates, why)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, revoked)
}

// RevokeTokens is RevokeToken for several, all or none as far as that can be known before. revoked
// is called after each.
func (s *Service) RevokeTokens(ctx context.Context, ids [][]byte, certificates bool, why string, revoked func(id []byte)) (*Changed, error) {
	for _, id := range ids {
		if _, err := s.ledger.Token(ctx, id); err != nil {
			return nil, err
		}
	}
	all := &Changed{}
	for _, id := range ids {
		changed, err := s.RevokeToken(ctx, id, certificates, why)
		if err != nil {
			return nil, err
		}
		revoked(id)
		all.add(changed)
	}
	return all, nil
}

// DenyRenewal denies certificates to a common name: see ledger.Ledger.DenyRenewal.
func (s *Service) DenyRenewal(ctx context.Context, name, why string) error {
	return s.ledger.DenyRenewal(ctx, name, why)
}

// AllowRenewal ends a denial.
func (s *Service) AllowRenewal(ctx context.Context, name string) error {
	return s.ledger.AllowRenewal(ctx, name)
}

// Denials yields the names that are denied.
func (s *Service) Denials(ctx context.Context) iter.Seq2[ledger.Denial, error] {
	return s.ledger.Denials(ctx)
}

// Decommissioned is a name that was given up.
type Decommissioned struct {
	Changed
	Tokens []ledger.Token // that named it, and are revoked
}

// Decommission gives up a common name, which is free for another key then: see
// ledger.Ledger.Decommission.
func (s *Service) Decommission(ctx context.Context, name, why string) (*Decommissioned, error) {
	d, err := s.ledger.Decommission(ctx, name, why)
	if err != nil {
		return nil, err
	}
	changed, err := s.changed(ctx, d.Certificates)
	if err != nil {
		return nil, err
	}
	return &Decommissioned{Changed: *changed, Tokens: d.Tokens}, nil
}

// Resolved is a decision about a host that was copied.
type Resolved struct {
	ledger.Resolved
	Changed // what was revoked
}

// Resolve decides which host goes on with a name of which two have had the same certificate: see
// ledger.Ledger.Resolve.
func (s *Service) Resolve(ctx context.Context, name, serial, why string) (*Resolved, error) {
	r, err := s.ledger.Resolve(ctx, name, serial, why)
	if err != nil {
		return nil, err
	}
	changed, err := s.changed(ctx, r.Revoked)
	if err != nil {
		return nil, err
	}
	return &Resolved{r, *changed}, nil
}

// Holders yields the names that are held, those that expire first first: see
// ledger.Ledger.Holders.
func (s *Service) Holders(ctx context.Context) iter.Seq2[ledger.Holder, error] {
	return s.ledger.Holders(ctx)
}

// Clones yields the renewals that were refused since another key has the newest certificate.
func (s *Service) Clones(ctx context.Context) iter.Seq2[ledger.Clone, error] {
	return s.ledger.Clones(ctx)
}
