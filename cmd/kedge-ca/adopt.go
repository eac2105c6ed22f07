package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/localca"
)

// adoptRoot takes over a root that another program created, and what it issued. For a CA that has
// been taken over before, it continues with the latter.
func (o *initOptions) adoptRoot(ctx context.Context) (err error) {
	cert, err := cadir.ReadCertificate(o.store.certPath(rootName))
	if err != nil {
		return &adoptError{err}
	}
	if !ca.IsRoot(cert) {
		return &cadir.UnusableError{Err: fmt.Errorf("%s is not a root: it is issued by %q", o.store.certPath(rootName), cert.Issuer)}
	}
	if err := o.past.check(ctx, cert, o.inputs.Now()); err != nil {
		return err
	}
	key, err := o.adoptedKey(ctx, cert)
	defer func() { err = errors.Join(err, key.Close()) }()
	if err != nil {
		return err
	}
	if err := o.checkAdopted(cert, key.Opened); err != nil {
		return err
	}
	if err := key.Write(); err != nil {
		return err
	}
	s, err := o.store.open(ctx, o.host, ledger.Options{Create: true})
	if err != nil {
		return err
	}
	defer s.close(&err)
	again, err := s.Service.IsRoot(ctx, cert)
	if err != nil {
		return err
	}
	if !again || !o.past.any() {
		if err := s.Service.Adopt(ctx, cert, o.ca.why); err != nil {
			return err
		}
		o.say(fmt.Sprintf("took over the CA %q, valid until %s", cert.Subject, cert.NotAfter.UTC().Format(time.DateOnly)))
	}
	if !key.Resumed {
		o.say(key.Outcome())
	}
	o.warnAll(key.Dangers())
	return o.adoptPast(ctx, s.Service, cert)
}

// adoptPast imports what the CA issued, or reports that it is not in the ledger.
func (o *initOptions) adoptPast(ctx context.Context, service *issuance.Service, cert *x509.Certificate) (err error) {
	var taken *localca.Taken
	missing := true
	if o.past.any() {
		if taken, err = o.past.takeIn(ctx, o.host, service, rootName, o.ca.why); err != nil {
			return err
		}
		missing = taken.MayMiss
	}
	switch {
	case !missing:
	case taken == nil:
		o.warn("what it issued and revoked before is not in the ledger, and lists of what is revoked would lack it: kedge-ca ledger import PATH takes in a folder, certificates, an index.txt or a CRL, and --nothing-missing says that all of it is there")
	default:
		o.warn("until you say that nothing is missing, kedge-ca warns that lists of what is revoked may lack something: kedge-ca ledger import --nothing-missing")
	}
	return o.report(cert, taken)
}

// adoptError reports that the files to take over are invalid.
type adoptError struct{ err error }

func (e *adoptError) Error() string { return e.err.Error() }
func (e *adoptError) Unwrap() error { return &cadir.UnusableError{Err: e.err} }

// adoptedKey opens the key to take over: ca.key, or the one that --key names.
func (o *initOptions) adoptedKey(ctx context.Context, cert *x509.Certificate) (*cadir.NewKey, error) {
	_, there, err := o.store.keyFile(rootName)
	if err != nil {
		return nil, err
	}
	if there || o.key.uri != "" {
		o.key.public = cert.PublicKey
		return o.store.beginCAKey(ctx, o.host, rootName, o.kind, o.key)
	}
	_, err = os.Open(o.store.keyPath(rootName))
	return nil, &adoptError{err}
}

// checkAdopted checks a foreign root by the rules that apply to a new one.
func (o *initOptions) checkAdopted(cert *x509.Certificate, key *cadir.Key) error {
	if _, err := ca.New(cert, key); err != nil {
		return &cadir.UnusableError{Err: fmt.Errorf("%s and %s: %w", o.store.certPath(rootName), key, err)}
	}
	warnings, err := localca.Foreign{File: o.store.certPath(rootName), Name: rootName, Path: []*x509.Certificate{cert}}.Lint(o.ca.allow, o.inputs.Now())
	o.warnAll(warnings)
	return err
}
