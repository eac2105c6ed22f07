package issuance

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Path returns the authority with a name, or the issuing one when the name is empty, and those above
// it up to the root. Errors are *UnknownAuthorityError and those that wrap ErrNoAuthority.
func (s *Service) Path(ctx context.Context, name string) (path []ledger.Authority, err error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]ledger.Authority{}
	var known []string
	for _, a := range all {
		byName[a.Name] = a
		known = append(known, a.Name)
		if name == "" && a.Issuing {
			name = a.Name
		}
	}
	if name == "" {
		return nil, fmt.Errorf("%s: %w", s.ledger.Where(), ErrNoAuthority)
	}
	for len(path) <= len(all) {
		a, ok := byName[name]
		if !ok {
			return nil, &UnknownAuthorityError{name, known}
		}
		if path = append(path, a); a.Parent == "" {
			return path, nil
		}
		name = a.Parent
	}
	return nil, fmt.Errorf("the authorities above %q go in a circle", path[0].Name)
}

// Issuing returns the path of an authority that may issue; an empty name means the issuing one. A
// retired authority is refused with a *RetiredError, a revoked one with a *RevokedAuthorityError;
// they sign CRLs at most.
func (s *Service) Issuing(ctx context.Context, name string) ([]ledger.Authority, error) {
	path, err := s.Path(ctx, name)
	if err != nil {
		return nil, err
	}
	if path[0].State == ledger.Retired {
		return nil, &RetiredError{Name: path[0].Name}
	}
	if err := s.NotRevoked(ctx, path); err != nil {
		return nil, err
	}
	return path, nil
}

// NotRevoked returns a *RevokedAuthorityError for an authority whose certificate, or one above it,
// is revoked. A root is on no CRL.
func (s *Service) NotRevoked(ctx context.Context, path []ledger.Authority) error {
	for _, a := range path {
		if a.Parent == "" {
			continue
		}
		c, err := s.ledger.Certificate(ctx, a.Fingerprint)
		if err != nil {
			return err
		}
		if c.RevokedAt != nil {
			return &RevokedAuthorityError{Name: a.Name, Reason: c.Reason}
		}
	}
	return nil
}

// opened is an authority with an open key.
type opened struct {
	key       crypto.Signer
	authority *ca.Authority
}

// Authority opens the first authority of a path. Its key is opened once; errors of Keys are
// returned as they are, and if the key does not match the certificate, it is an *UnusableError.
//
// It does not check that the authority may issue: Issuing does.
func (s *Service) Authority(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	name, cert := path[0].Name, path[0].Certificate
	var issuers []*x509.Certificate
	for _, above := range path[1:] {
		issuers = append(issuers, above.Certificate)
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	o := s.opened[name]
	if o == nil || !ca.SameKey(o.key.Public(), cert.PublicKey) {
		key, err := s.keys.Signer(ctx, name, cert.PublicKey)
		if err != nil {
			return nil, err
		}
		o = &opened{key: key}
	}
	if o.authority != nil && samePath(o.authority, cert, issuers) {
		return o.authority, nil
	}
	authority, err := ca.New(cert, o.key, issuers...)
	if err != nil {
		return nil, &UnusableError{name, err}
	}
	s.opened[name] = &opened{o.key, authority}
	return authority, nil
}

// samePath reports whether an authority was opened with these certificates: another process may
// have renewed one of them since.
func samePath(a *ca.Authority, cert *x509.Certificate, issuers []*x509.Certificate) bool {
	return a.Certificate().Equal(cert) && slices.EqualFunc(a.Issuers(), issuers, (*x509.Certificate).Equal)
}

// keyID returns the key identifier of an authority, by which the ledger identifies the issuer of
// certificates and CRLs.
func keyID(a ledger.Authority) string { return hex.EncodeToString(a.Certificate.SubjectKeyId) }

// KindOf returns the kind of a certificate: ledger.Root, Intermediate or Leaf.
func KindOf(c *x509.Certificate) string {
	switch {
	case !c.IsCA:
		return ledger.Leaf
	case string(c.RawSubject) == string(c.RawIssuer):
		return ledger.Root
	}
	return ledger.Intermediate
}
