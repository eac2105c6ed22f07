package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
)

// issueCA issues a certificate for the key of an authority, unless a run before or another
// process recorded one, which is returned then.
func (s *store) issueCA(ctx context.Context, k *caKey, prepared *ca.Prepared) (*x509.Certificate, error) {
	if err := k.write(); err != nil {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, k.path, patience)
	if err != nil {
		return nil, err
	}
	defer unlock()
	cert, err := s.recordedCA(ctx, prepared.Certificate())
	if cert != nil || err != nil {
		return cert, err
	}
	cert, err = prepared.Issue(ctx, s.ledger)
	if err != nil && !k.resumed && !unsure(err) {
		err = errors.Join(err, os.Remove(k.path))
	}
	return cert, err
}

// recordedCA returns the newest valid certificate in the ledger that has key, subject and
// issuer of a preview, or nil.
func (s *store) recordedCA(ctx context.Context, preview *x509.Certificate) (*x509.Certificate, error) {
	var newest *x509.Certificate
	for c, err := range s.ledger.List(ctx, ledger.Filter{Kind: kindOf(preview), State: ledger.Valid}) {
		if err != nil {
			return nil, err
		}
		cert, err := c.X509()
		if err != nil {
			return nil, err
		}
		if sameKey(cert.PublicKey, preview.PublicKey) && string(cert.RawSubject) == string(preview.RawSubject) &&
			string(cert.AuthorityKeyId) == string(preview.AuthorityKeyId) {
			newest = cert
		}
	}
	return newest, nil
}

// recordIssued records a certificate that was issued elsewhere. It may be there already.
func (s *store) recordIssued(ctx context.Context, i ca.Issued) error {
	err := s.ledger.RecordIssued(ctx, i)
	if _, again := errors.AsType[*ledger.DuplicateError](err); again {
		return nil
	}
	return err
}

func (s *store) recordForeign(ctx context.Context, cert *x509.Certificate, why string) error {
	return s.recordIssued(ctx, ca.Issued{Certificate: cert, Why: why, At: s.host.inputs.Now()})
}

// authorityOf returns the authority that has the key and the name of a certificate.
func (s *store) authorityOf(ctx context.Context, cert *x509.Certificate) (a ledger.Authority, ok bool, err error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return a, false, err
	}
	for _, a := range all {
		if sameKey(a.Certificate.PublicKey, cert.PublicKey) && string(a.Certificate.RawSubject) == string(cert.RawSubject) {
			return a, true, nil
		}
	}
	return a, false, nil
}

// unknownRootError says that a root is none of this CA, which has another.
type unknownRootError struct{ subject, current string }

func (e *unknownRootError) Error() string {
	return fmt.Sprintf("the root %q is not one of this CA, whose root is %q", e.subject, e.current)
}

// foreign gives a name to an authority whose key is elsewhere. A ledger without a root takes
// any; another root comes in by rotation alone, since hosts must not lose their trust anchor.
func (s *store) foreign(ctx context.Context, cert *x509.Certificate, above ledger.Authority) (ledger.Authority, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return ledger.Authority{}, err
	}
	a := ledger.Authority{Certificate: cert, Parent: above.Name, State: above.State}
	if above.Name == "" {
		a.Name, a.State = rootName, ledger.Active
		if len(all) > 0 {
			return a, &unknownRootError{cert.Subject.String(), all[0].Certificate.Subject.String()}
		}
		return a, nil
	}
	base := fileName(cert.Subject.CommonName)
	a.Name = base
	for n := 2; slices.ContainsFunc(all, func(b ledger.Authority) bool { return b.Name == a.Name }); n++ {
		a.Name = fmt.Sprintf("%s-%d", base, n)
	}
	return a, nil
}

// setAuthority makes an authority known to the ledger, and writes its NAME.pem, or replaces it
// when the authority got another certificate.
func (s *store) setAuthority(ctx context.Context, a ledger.Authority) error {
	a.Fingerprint = nil
	if err := s.ledger.SetAuthority(ctx, a); err != nil {
		return err
	}
	return atomicfile.Write(s.flags.certPath(a.Name), certPEM(a.Certificate), 0o644)
}

// checkName refuses a name for an authority that its files cannot have, or that is taken.
func (s *store) checkName(ctx context.Context, name string) error {
	if err := checkAuthorityName(name); err != nil {
		return err
	}
	_, known, err := s.known(ctx, name)
	if err == nil && known {
		err = &takenError{name}
	}
	if err != nil {
		return err
	}
	return vacant(s.flags.certPath(name))
}

// checkAuthorityName: the name is that of the files.
func checkAuthorityName(name string) error {
	if name == "" || fileName(name) != name {
		return fmt.Errorf("the name %q cannot be that of files; take letters, digits, hyphens and dots", name)
	}
	return nil
}

// takenError says that there is an authority of the name already.
type takenError struct{ name string }

func (e *takenError) Error() string { return fmt.Sprintf("there is an authority %q already", e.name) }
func (e *takenError) Unwrap() error { return fs.ErrExist }

// known returns the authority of a name.
func (s *store) known(ctx context.Context, name string) (a ledger.Authority, ok bool, err error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return a, false, err
	}
	for _, a := range all {
		if a.Name == name {
			return a, true, nil
		}
	}
	return a, false, nil
}
