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
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// authority opens the authority of a name, or the one that issues when the name is empty. The
// key's password is asked for only if it is encrypted, and once. What makes it unusable is an
// *cadir.UnusableError.
func (s *store) authority(ctx context.Context, name string) (*ca.Authority, error) {
	path, err := s.service.Path(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.authorityAt(ctx, path)
}

// authorityAt is authority for one whose path is known.
func (s *store) authorityAt(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	a, err := s.openAuthority(ctx, path)
	if err != nil {
		missing, ok := errors.AsType[*cadir.UnusableError](err)
		return nil, &cadir.UnusableError{Err: err, NoKey: ok && missing.NoKey}
	}
	return a, nil
}

// issuing opens an authority to issue. A retired or revoked one signs lists at most.
func (s *store) issuing(ctx context.Context, name string) (*ca.Authority, error) {
	path, err := s.service.Issuing(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.authorityAt(ctx, path)
}

// issuer opens an authority to issue leaves.
func (s *store) issuer(ctx context.Context, name string) (*issuance.Issuer, error) {
	path, err := s.service.Issuing(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := s.authorityAt(ctx, path); err != nil {
		return nil, err
	}
	return s.service.IssuerAt(ctx, path)
}

func (s *store) openAuthority(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	name := path[0].Name
	if !s.checked[name] {
		if err := s.checkCopy(name, path[0].Certificate); err != nil {
			return nil, err
		}
		s.checked[name] = true
	}
	before := len(s.keys)
	a, err := s.service.Authority(ctx, path)
	if unusable, ok := errors.AsType[*issuance.UnusableError](err); ok && len(s.keys) > before {
		return nil, fmt.Errorf("%s and %s: %w", s.flags.certPath(name), s.keys[len(s.keys)-1], unusable.Err)
	}
	if err != nil {
		return nil, err
	}
	for _, key := range s.keys[before:] {
		for _, warning := range key.Warnings {
			s.host.warn(warning)
		}
	}
	return a, nil
}

// storeKeys opens the keys of a CA's folder for its service; close lets go of them.
type storeKeys struct{ store *store }

// Signer opens NAME.key, or the key that NAME.key-uri names.
func (k storeKeys) Signer(ctx context.Context, authority string, public crypto.PublicKey) (crypto.Signer, error) {
	key, err := k.store.flags.readKey(ctx, k.store.host, authority, public)
	if err != nil {
		return nil, err
	}
	k.store.keys = append(k.store.keys, key)
	return key, nil
}

// Has reports whether one of the two files is there.
func (k storeKeys) Has(authority string) (bool, error) {
	_, there, err := k.store.flags.keyFile(authority)
	return there, err
}

// checkCopy compares NAME.pem with the ledger, and warns if it had to be written again.
func (s *store) checkCopy(name string, cert *x509.Certificate) error {
	warning, err := s.flags.folder().CheckCertificate(name, cert)
	if warning != "" && err == nil {
		s.host.warn(warning)
	}
	return err
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
