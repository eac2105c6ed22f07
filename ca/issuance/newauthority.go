package issuance

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/dn"
)

// OccupiedError reports that a ledger belongs to another CA.
type OccupiedError struct{ Where, Subject string }

func (e *OccupiedError) Error() string {
	return fmt.Sprintf("the ledger %s is that of the CA %q", e.Where, e.Subject)
}

// CheckEmpty refuses a ledger that holds a CA, with an *OccupiedError.
func (s *Service) CheckEmpty(ctx context.Context) error {
	all, err := s.ledger.Authorities(ctx)
	if err == nil && len(all) > 0 {
		err = &OccupiedError{s.ledger.Where(), all[0].Certificate.Subject.String()}
	}
	return err
}

// Found issues the root of a new CA, which becomes the issuing authority.
func (s *Service) Found(ctx context.Context, root *ca.Prepared) (*x509.Certificate, error) {
	if err := s.CheckEmpty(ctx); err != nil {
		return nil, err
	}
	return root.Issue(ctx, s.ledger.WithAuthority(ledger.Authority{Name: RootName, State: ledger.Active, Issuing: true}))
}

// Adopt adds a root that another program issued. What the root issued before is not in the ledger:
// MayMiss reports it until TakeOver has recorded that nothing is missing.
func (s *Service) Adopt(ctx context.Context, root *x509.Certificate, why string) error {
	if err := s.CheckEmpty(ctx); err != nil {
		return err
	}
	return s.ledger.Adopt(ctx, ca.Issued{Certificate: root, Why: why, At: s.now()}, ledger.Authority{Name: RootName, State: ledger.Active, Issuing: true})
}

// IsRoot reports whether a certificate is of the ledger's root: adopted, or created here.
func (s *Service) IsRoot(ctx context.Context, cert *x509.Certificate) (bool, error) {
	a, ok, err := s.authorityOf(ctx, cert)
	return ok && a.Name == RootName, err
}

// IssueCA issues a certificate for the key of an authority, unless an earlier run or another
// process recorded one for the same key, name and issuer: then it returns that, and again is true.
//
// The caller must not run it concurrently for the same key, in any process.
func (s *Service) IssueCA(ctx context.Context, prepared *ca.Prepared) (cert *x509.Certificate, again bool, err error) {
	s.issuingCA.Lock()
	defer s.issuingCA.Unlock()
	if cert, err = s.recordedCA(ctx, prepared.Certificate()); cert != nil || err != nil {
		return cert, err == nil, err
	}
	cert, err = prepared.Issue(ctx, s.ledger)
	return cert, false, err
}

// IssueAnotherCA is IssueCA for a key that has a certificate already, and gets another.
func (s *Service) IssueAnotherCA(ctx context.Context, prepared *ca.Prepared) (*x509.Certificate, error) {
	return prepared.Issue(ctx, s.ledger)
}

// recordedCA returns the newest valid certificate in the ledger with the key, subject and issuer of
// a preview, or nil.
func (s *Service) recordedCA(ctx context.Context, preview *x509.Certificate) (*x509.Certificate, error) {
	var newest *x509.Certificate
	for c, err := range s.ledger.List(ctx, ledger.Filter{Kind: KindOf(preview), State: ledger.Valid}) {
		if err != nil {
			return nil, err
		}
		cert, err := c.X509()
		if err != nil {
			return nil, err
		}
		if ca.SameKey(cert.PublicKey, preview.PublicKey) && string(cert.RawSubject) == string(preview.RawSubject) &&
			string(cert.AuthorityKeyId) == string(preview.AuthorityKeyId) {
			newest = cert
		}
	}
	return newest, nil
}

// recordForeign records the certificate of an authority that a known issuer issued elsewhere. It
// may have been recorded before.
func (s *Service) recordForeign(ctx context.Context, i ca.Issued) error {
	i.At = s.now()
	_, err := s.ledger.Import(ctx, "", []ledger.Import{{Issued: i}})
	return err
}

// authorityOf returns the authority with the key and the name of a certificate.
func (s *Service) authorityOf(ctx context.Context, cert *x509.Certificate) (a ledger.Authority, ok bool, err error) {
	return s.searchAuthority(ctx, func(a ledger.Authority) bool {
		return ca.SameKey(a.Certificate.PublicKey, cert.PublicKey) && string(a.Certificate.RawSubject) == string(cert.RawSubject)
	})
}

// Known returns the authority with a name; ok is false if there is none.
func (s *Service) Known(ctx context.Context, name string) (a ledger.Authority, ok bool, err error) {
	return s.searchAuthority(ctx, func(a ledger.Authority) bool { return a.Name == name })
}

func (s *Service) searchAuthority(ctx context.Context, is func(ledger.Authority) bool) (a ledger.Authority, ok bool, err error) {
	all, err := s.ledger.Authorities(ctx)
	if i := slices.IndexFunc(all, is); err == nil && i >= 0 {
		return all[i], true, nil
	}
	return a, false, err
}

// setAuthorities adds authorities to the ledger, or changes those that were read, all or none. If
// another process has changed one since, the error is a *ledger.ChangedError.
func (s *Service) setAuthorities(ctx context.Context, all ...ledger.Authority) error {
	return s.ledger.SetAuthorities(ctx, all...)
}

// TakenError reports that there is an authority with the name already.
type TakenError struct{ Name string }

func (e *TakenError) Error() string { return fmt.Sprintf("there is an authority %q already", e.Name) }
func (e *TakenError) Unwrap() error { return fs.ErrExist }

// CheckNewName refuses a name for a new authority that is invalid as a file name, or that is taken,
// with a *TakenError.
func (s *Service) CheckNewName(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	_, known, err := s.Known(ctx, name)
	if err == nil && known {
		err = &TakenError{name}
	}
	return err
}

// CheckName refuses a name for an authority that is invalid as a file name.
func CheckName(name string) error {
	if name == "" || dn.FileName(name) != name {
		return fmt.Errorf("the name %q cannot be that of files; take letters, digits, hyphens and dots", name)
	}
	return nil
}

// CheckValidity returns a *ca.ValidityError for certificates that are not valid at a time.
func CheckValidity(now time.Time, certs ...*x509.Certificate) error {
	for _, c := range certs {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return &ca.ValidityError{Subject: c.Subject.String(), NotBefore: c.NotBefore, NotAfter: c.NotAfter, Now: now}
		}
	}
	return nil
}
