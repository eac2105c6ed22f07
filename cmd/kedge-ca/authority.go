package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/signer"
)

// unknownAuthorityError says that the ledger knows no authority of a name.
type unknownAuthorityError struct {
	name  string
	known []string
}

func (e *unknownAuthorityError) Error() string {
	return fmt.Sprintf("there is no authority %q in the ledger", e.name)
}

// errNoAuthority says that a ledger is empty or that none of its authorities issues: an init
// was interrupted.
var errNoAuthority = errors.New("no authority of this ledger issues")

// authorityPath returns the authority of a name, or the one that issues when the name is empty, and
// those above it up to the root.
func (s *store) authorityPath(ctx context.Context, name string) (path []ledger.Authority, err error) {
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
		return nil, fmt.Errorf("%s: %w", s.ledger.Where(), errNoAuthority)
	}
	for len(path) <= len(all) {
		a, ok := byName[name]
		if !ok {
			return nil, &unknownAuthorityError{name, known}
		}
		if path = append(path, a); a.Parent == "" {
			return path, nil
		}
		name = a.Parent
	}
	return nil, fmt.Errorf("the authorities above %q go in a circle", path[0].Name)
}

// authority opens the authority of a name, or the one that issues when the name is empty. The
// key's password is asked for only if it is encrypted, and once. What makes it unusable is a
// *caError.
func (s *store) authority(ctx context.Context, name string) (*ca.Authority, error) {
	path, err := s.authorityPath(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.authorityAt(ctx, path)
}

// authorityAt is authority for one whose path is known.
func (s *store) authorityAt(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	if a, ok := s.opened[path[0].Name]; ok {
		return a, nil
	}
	a, err := s.openAuthority(ctx, path)
	if err != nil {
		missing, ok := errors.AsType[*caError](err)
		return nil, &caError{error: err, noKey: ok && missing.noKey}
	}
	s.opened[path[0].Name] = a
	return a, nil
}

// retiredError says that an authority is out of use: the trust anchor does not have its root
// any more, or will not soon.
type retiredError struct{ name string }

func (e *retiredError) Error() string {
	return fmt.Sprintf("the authority %q is retired; it issues nothing", e.name)
}

// issuing opens an authority to issue. A retired or revoked one signs lists at most.
func (s *store) issuing(ctx context.Context, name string) (*ca.Authority, error) {
	path, err := s.authorityPath(ctx, name)
	if err != nil {
		return nil, err
	}
	if path[0].State == ledger.Retired {
		return nil, &retiredError{path[0].Name}
	}
	if err := s.notRevoked(ctx, path); err != nil {
		return nil, err
	}
	return s.authorityAt(ctx, path)
}

func (s *store) openAuthority(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	name, cert := path[0].Name, path[0].Certificate
	if err := s.checkCopy(name, cert); err != nil {
		return nil, err
	}
	key, err := s.flags.readKey(ctx, s.host, name, cert.PublicKey)
	if err != nil {
		return nil, err
	}
	s.keys = append(s.keys, key)
	var issuers []*x509.Certificate
	for _, above := range path[1:] {
		issuers = append(issuers, above.Certificate)
	}
	a, err := ca.New(cert, key, issuers...)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", s.flags.certPath(name), key, err)
	}
	for _, warning := range key.warnings {
		s.host.warn(warning)
	}
	return a, nil
}

// checkCopy holds NAME.pem against the ledger, which has the certificate itself. A file that
// is not there, or holds an earlier certificate of the same key, is written again: the ledger
// comes first when a CA is made or renewed, and a crash can come between.
func (s *store) checkCopy(name string, cert *x509.Certificate) error {
	path := s.flags.certPath(name)
	data, err := signer.File(path).Read()
	if errors.Is(err, fs.ErrNotExist) {
		if err := atomicfile.Create(path, certPEM(cert), 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		s.host.warn(path + " was missing, and was written again from the ledger")
		return nil
	}
	if err != nil {
		return err
	}
	certs, err := parseCertificates(data)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case certs[0].Equal(cert):
		return nil
	case !sameKey(certs[0].PublicKey, cert.PublicKey):
		return fmt.Errorf("%s is not the certificate that the ledger has of the authority %q", path, name)
	}
	s.host.warn(path + " was an older certificate, and was written again from the ledger")
	return atomicfile.Write(path, certPEM(cert), 0o644)
}

func sameKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// removeAll takes back what was written before something failed.
func removeAll(paths ...string) error {
	var all error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}
