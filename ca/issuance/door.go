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

// Enrollment returns the proof by which a certificate was issued to a host; nil if the operator
// issued it.
func (s *Service) Enrollment(ctx context.Context, c ledger.Certificate) (*ca.Enrollment, error) {
	return s.ledger.Enrollment(ctx, c)
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

// GiveUp revokes the certificates of the lineage of a leaf, at the request of the host that has its
// key: see ledger.Ledger.GiveUp.
func (s *Service) GiveUp(ctx context.Context, c ledger.Certificate, why string) (*Changed, error) {
	revoked, err := s.ledger.GiveUp(ctx, c.Fingerprint, why)
	if err != nil {
		return nil, err
	}
	return s.changed(ctx, revoked)
}
