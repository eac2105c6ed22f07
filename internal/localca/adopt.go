package localca

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/takeover"
)

// Adoption specifies how the root of another program is taken over, and what it issued.
type Adoption struct {
	Key   cadir.KeyRequest // without URI it is ca.key
	Allow []string         // lint warnings that are not errors
	Past  PastRequest      // what the root issued; without sources, it is imported later
}

// AdoptError reports that the files to take over are invalid.
type AdoptError struct{ Err error }

func (e *AdoptError) Error() string { return e.Err.Error() }
func (e *AdoptError) Unwrap() error { return &cadir.UnusableError{Err: e.Err} }

// Adopt takes over a root that another program created, and what it issued. For a CA that has been
// taken over before, it continues with the latter. taken is nil if nothing was to be imported.
func Adopt(ctx context.Context, c Config, a Adoption) (cert *x509.Certificate, taken *Taken, err error) {
	a.Past.Authority = issuance.RootName
	cert, err = a.check(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	key, err := a.open(ctx, c, cert)
	defer func() { err = errors.Join(err, key.Close()) }()
	if err != nil {
		return nil, nil, err
	}
	if err := a.lint(c, cert, key.Opened); err != nil {
		return nil, nil, err
	}
	if err := key.Write(); err != nil {
		return nil, nil, err
	}
	taken, err = a.record(ctx, c, cert, key)
	return cert, taken, err
}

// record records the root and its past in the ledger, which it creates if it is missing.
func (a Adoption) record(ctx context.Context, c Config, cert *x509.Certificate, key *cadir.NewKey) (taken *Taken, err error) {
	opened, err := Open(ctx, c, ledger.Options{Create: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	again, err := opened.Service.IsRoot(ctx, cert)
	if err != nil {
		return nil, err
	}
	if !again || !a.Past.Any() {
		if err := opened.Service.Adopt(ctx, cert, a.Past.Why); err != nil {
			return nil, err
		}
		c.done("took over the CA %q, valid until %s", cert.Subject, until(cert))
	}
	if !key.Resumed {
		c.done("%s", key.Outcome())
	}
	c.warnAll(key.Dangers())
	if taken, err = opened.adoptPast(ctx, a.Past); err != nil {
		return nil, err
	}
	c.tellRoot(cert)
	return taken, nil
}

// check returns the root, and checks, before anything is created, whether the files of its past can
// be imported.
func (a Adoption) check(ctx context.Context, c Config) (*x509.Certificate, error) {
	file := c.Keys.Folder.CertificatePath(issuance.RootName)
	cert, err := cadir.ReadCertificate(file)
	if err != nil {
		return nil, &AdoptError{err}
	}
	if !ca.IsRoot(cert) {
		return nil, &cadir.UnusableError{Err: fmt.Errorf("%s is not a root: it is issued by %q", file, cert.Issuer)}
	}
	from := a.Past.Sources
	from.CA = []*x509.Certificate{cert}
	return cert, takeover.Check(ctx, from)
}

// open opens the key to take over: ca.key, or the one that the request names.
func (a Adoption) open(ctx context.Context, c Config, cert *x509.Certificate) (*cadir.NewKey, error) {
	_, there, err := c.Keys.Folder.KeyFile(issuance.RootName)
	if err != nil {
		return nil, err
	}
	if there || a.Key.URI != "" {
		r := a.Key
		r.Authority, r.Public = issuance.RootName, cert.PublicKey
		return c.Keys.Begin(ctx, r)
	}
	_, err = os.Open(c.Keys.Folder.KeyPath(issuance.RootName))
	return nil, &AdoptError{err}
}

// lint checks a foreign root by the rules that apply to a new one.
func (a Adoption) lint(c Config, cert *x509.Certificate, key *cadir.Key) error {
	file := c.Keys.Folder.CertificatePath(issuance.RootName)
	if _, err := ca.New(cert, key); err != nil {
		return &cadir.UnusableError{Err: fmt.Errorf("%s and %s: %w", file, key, err)}
	}
	warnings, err := Foreign{File: file, Name: issuance.RootName, Path: []*x509.Certificate{cert}}.Lint(a.Allow, c.Keys.Host.Now())
	c.warnAll(warnings)
	return err
}

// adoptPast imports what the CA issued, or warns that it is not in the ledger.
func (c *CA) adoptPast(ctx context.Context, past PastRequest) (*Taken, error) {
	if !past.Any() {
		c.config.Warn("what it issued and revoked before is not in the ledger, and lists of what is revoked would lack it: kedge-ca ledger import PATH takes in a folder, certificates, an index.txt or a CRL, and --nothing-missing says that all of it is there")
		return nil, nil
	}
	taken, err := c.ImportPast(ctx, past)
	if err == nil && taken.MayMiss {
		c.config.Warn("until you say that nothing is missing, kedge-ca warns that lists of what is revoked may lack something: kedge-ca ledger import --nothing-missing")
	}
	return taken, err
}
