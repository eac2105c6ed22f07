package localca

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// Authority opens an authority by name, or the issuing one when the name is empty. The key's
// password is asked for only if it is encrypted, and once. If it cannot be used, the error is a
// *cadir.UnusableError.
func (c *CA) Authority(ctx context.Context, name string) (*ca.Authority, error) {
	path, err := c.Service.Path(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.authorityAt(ctx, path)
}

// Issuing opens an authority that may issue. A retired or revoked one signs CRLs at most.
func (c *CA) Issuing(ctx context.Context, name string) (*ca.Authority, error) {
	path, err := c.Service.Issuing(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.authorityAt(ctx, path)
}

// Issuer opens an authority to issue leaves.
func (c *CA) Issuer(ctx context.Context, name string) (*issuance.Issuer, error) {
	path, err := c.Service.Issuing(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := c.authorityAt(ctx, path); err != nil {
		return nil, err
	}
	return c.Service.IssuerAt(ctx, path)
}

// UnlistedError reports that the key of one of several authorities cannot be opened, so that no CRL
// is made.
type UnlistedError struct {
	Authority string
	Err       error
}

func (e *UnlistedError) Error() string { return e.Err.Error() }
func (e *UnlistedError) Unwrap() error { return e.Err }

// OpenAll opens the keys of all authorities before the first CRL is made: all CRLs are made, or
// none.
func (c *CA) OpenAll(ctx context.Context, authorities []ledger.Authority) error {
	for _, a := range authorities {
		if _, err := c.Authority(ctx, a.Name); err != nil {
			if len(authorities) > 1 {
				err = &UnlistedError{a.Name, err}
			}
			return err
		}
	}
	return nil
}

func (c *CA) authorityAt(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	a, err := c.open(ctx, path)
	if err != nil {
		missing, ok := errors.AsType[*cadir.UnusableError](err)
		return nil, &cadir.UnusableError{Err: err, NoKey: ok && missing.NoKey}
	}
	return a, nil
}

func (c *CA) open(ctx context.Context, path []ledger.Authority) (*ca.Authority, error) {
	name := path[0].Name
	if !c.checked[name] {
		if err := c.CheckCopy(name, path[0].Certificate); err != nil {
			return nil, err
		}
		c.checked[name] = true
	}
	before := len(c.keys)
	a, err := c.Service.Authority(ctx, path)
	if unusable, ok := errors.AsType[*issuance.UnusableError](err); ok && len(c.keys) > before {
		return nil, fmt.Errorf("%s and %s: %w", c.folder.CertificatePath(name), c.keys[len(c.keys)-1], unusable.Err)
	}
	if err != nil {
		return nil, err
	}
	for _, key := range c.keys[before:] {
		for _, warning := range key.Warnings {
			c.config.Warn(warning)
		}
	}
	return a, nil
}

// Signer opens NAME.key, or the key that NAME.key-uri names, for the service. CA.Close closes it.
func (c *CA) Signer(ctx context.Context, authority string, public crypto.PublicKey) (crypto.Signer, error) {
	key, err := c.config.Keys.Open(ctx, authority, public)
	if err != nil {
		return nil, err
	}
	c.keys = append(c.keys, key)
	return key, nil
}

// Has reports whether NAME.key or NAME.key-uri exists.
func (c *CA) Has(authority string) (bool, error) {
	_, there, err := c.folder.KeyFile(authority)
	return there, err
}

// CheckHasKey returns a *cadir.UnusableError for an authority whose key is not in the folder.
func (c *CA) CheckHasKey(authority string) error {
	path, there, err := c.folder.KeyFile(authority)
	if err == nil && !there {
		missing := &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		err = &cadir.UnusableError{Err: fmt.Errorf("%q cannot issue here: %w", authority, missing), NoKey: true}
	}
	return err
}

// CheckCopy compares NAME.pem with the ledger, and warns if it had to be rewritten.
func (c *CA) CheckCopy(name string, cert *x509.Certificate) error {
	warning, err := c.folder.CheckCertificate(name, cert)
	if warning != "" && err == nil {
		c.config.Warn(warning)
	}
	return err
}

// WriteCopies writes NAME.pem of authorities in the ledger, or replaces it when an authority has a
// new certificate.
func (c *CA) WriteCopies(all ...ledger.Authority) error {
	for _, a := range all {
		if err := c.folder.WriteCertificate(a.Name, a.Certificate); err != nil {
			return err
		}
	}
	return nil
}
