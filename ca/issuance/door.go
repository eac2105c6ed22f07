package issuance

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Certificate returns the certificate with a fingerprint, the SHA-256 of its DER, or a
// *ledger.NotFoundError.
func (s *Service) Certificate(ctx context.Context, fingerprint []byte) (ledger.Certificate, error) {
	return s.ledger.Certificate(ctx, fingerprint)
}

// Presented returns the token of an enrollment, or a *ledger.TokenError if the ledger does not have it
// or its secret is another.
func (s *Service) Presented(ctx context.Context, e ca.Enrollment) (ledger.Token, error) {
	return s.ledger.Presented(ctx, &e)
}

// KeyPlace returns where the key of a certificate is, as its host said when it was issued; empty if
// the operator issued it.
func (s *Service) KeyPlace(ctx context.Context, c ledger.Certificate) (string, error) {
	e, err := s.ledger.Enrollment(ctx, c)
	if e == nil || err != nil {
		return "", err
	}
	return e.KeyPlace, nil
}

// Authorities returns all authorities, by name.
func (s *Service) Authorities(ctx context.Context) ([]ledger.Authority, error) {
	return s.ledger.Authorities(ctx)
}

// Roots returns all roots, retired ones too.
func (s *Service) Roots(ctx context.Context) ([]ledger.Authority, error) {
	all, err := s.ledger.Authorities(ctx)
	return slices.DeleteFunc(all, func(a ledger.Authority) bool { return a.Parent != "" || KindOf(a.Certificate) != ledger.Root }), err
}

// PathOf returns the certificates above one that was issued here, from its issuer's to the root's,
// as those authorities have them now.
func (s *Service) PathOf(ctx context.Context, cert *x509.Certificate) ([]*x509.Certificate, error) {
	issuer, ok, err := s.searchAuthority(ctx, func(a ledger.Authority) bool {
		return bytes.Equal(a.Certificate.RawSubject, cert.RawIssuer) && cert.CheckSignatureFrom(a.Certificate) == nil
	})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &UnknownAuthorityError{Name: cert.Issuer.String()}
	}
	path, err := s.Path(ctx, issuer.Name)
	var certs []*x509.Certificate
	for _, a := range path {
		certs = append(certs, a.Certificate)
	}
	return certs, err
}

// GiveUp revokes, at the request of a host, the certificates of its lineage that are valid or can
// be renewed, as ca.CessationOfOperation. The host has shown that it has the key of one of them. If
// that is not the key of the newest, it may be a copy's: a *ledger.CloneError. A lineage that has
// ended is a *ledger.EndedError, a certificate that was revoked a *ledger.RevokedError.
func (s *Service) GiveUp(ctx context.Context, c ledger.Certificate, why string) (*Changed, error) {
	if c.RevokedAt != nil {
		return nil, &ledger.RevokedError{Fingerprint: c.Fingerprint, Subject: c.Subject, At: *c.RevokedAt, Reason: c.Reason}
	}
	newest, err := s.ledger.Newest(ctx, c)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(newest.KeyHash, c.KeyHash) {
		return nil, &ledger.CloneError{Presented: c, Newest: newest, Key: c.KeyHash}
	}
	var all []ledger.Certificate
	for other, err := range s.ledger.List(ctx, ledger.Filter{Kind: ledger.Leaf, CommonName: c.CommonName}) {
		if err != nil {
			return nil, err
		}
		if other.Lineage == c.Lineage && other.RevokedAt == nil && (other.Seq == newest.Seq || !s.now().After(other.NotAfter)) {
			all = append(all, other)
		}
	}
	return s.Revoke(ctx, all, ca.CessationOfOperation, why)
}
