package localca

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// PathFiles are the files with the certificate of an authority and those above it; - is standard
// input.
type PathFiles struct {
	Certificate string
	Chain       []string // what is between; may hold more
	Root        string
	Stdin       io.Reader
}

// TakeInIntermediate makes an authority of a key that is here and a certificate from elsewhere, or
// renews one. A folder without a ledger gets one. Config.AllowWarnings and Config.Why of i count, the
// rest of its configuration is that of the certificate.
func TakeInIntermediate(ctx context.Context, c Config, i Intermediate, files PathFiles) (a ledger.Authority, err error) {
	if err := issuance.CheckName(i.Name); err != nil {
		return a, err
	}
	key, err := i.Keys.Open(ctx, i.Name, nil)
	if err != nil {
		return a, &cadir.UnusableError{Err: err}
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	path, err := files.read(c.Warn)
	if err != nil {
		return a, err
	}
	now := c.Keys.Host.Now()
	if _, err := ca.New(path[0], key, path[1:]...); err != nil {
		return a, fmt.Errorf("%s and %s: %w", files.Certificate, key, err)
	}
	if err := issuance.CheckValidity(now, path...); err != nil {
		return a, err
	}
	warnings, err := Foreign{File: files.Certificate, Name: i.Name, Path: path}.Lint(i.Config.AllowWarnings, now)
	if err != nil {
		return a, fmt.Errorf("%s: %w", files.Certificate, err)
	}
	opened, err := Open(ctx, c, ledger.Options{Create: true})
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	a, err = opened.TakeIn(ctx, issuance.TakeIn{Name: i.Name, Path: path, KeepIssuer: i.KeepIssuer, Why: i.Config.Why}, files.Certificate)
	if err != nil {
		return a, err
	}
	c.done("took in the intermediate CA %q, valid until %s", path[0].Subject.CommonName, until(path[0]))
	c.warnAll(slices.Concat(key.Warnings, warnings))
	opened.tellIssuing(a)
	return a, nil
}

// read returns the certificate and those above it, the root last. Certificates of Chain that cannot
// be read are left out, with a warning.
func (f PathFiles) read(warn func(string)) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, file := range append(append([]string{f.Certificate}, f.Chain...), f.Root) {
		data, err := cadir.ReadInput(file, f.Stdin)
		if err != nil {
			return nil, err
		}
		certs, err := cadir.ParseCertificates(data)
		if err != nil {
			err = fmt.Errorf("%s: %w", file, err)
		}
		if _, ok := errors.AsType[*ca.UnreadableError](err); ok && slices.Contains(f.Chain, file) {
			warn(err.Error())
			err = nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, certs...)
	}
	if root := all[len(all)-1]; !ca.IsRoot(root) {
		return nil, fmt.Errorf("%s is not a root: %q is issued by %q", f.Root, root.Subject, root.Issuer)
	}
	if ca.IsRoot(all[0]) {
		return nil, fmt.Errorf("%s is a root; give the certificate of the intermediate", f.Certificate)
	}
	return append(all[:1:1], ca.IssuersAmong(all[0], all)...), nil
}
