package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"kedge/ca"
)

// adoptRoot takes over a root that another program made.
func (o *initOptions) adoptRoot(ctx context.Context) (err error) {
	cert, err := readCertificate(o.store.certPath(rootName))
	if err != nil {
		return &adoptError{err}
	}
	if !isRoot(cert) {
		return &caError{error: fmt.Errorf("%s is not a root: it is issued by %q", o.store.certPath(rootName), cert.Issuer)}
	}
	key, err := o.adoptedKey(ctx, cert)
	defer func() { err = errors.Join(err, key.Close()) }()
	if err != nil {
		return err
	}
	if err := o.checkAdopted(cert, key.open); err != nil {
		return err
	}
	if err := key.write(); err != nil {
		return err
	}
	l, service, _, err := o.newLedger(ctx)
	if err != nil {
		return err
	}
	err = service.Adopt(ctx, cert, o.ca.why)
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	o.say(fmt.Sprintf("took over the CA %q, valid until %s; what it issued before is not in the ledger", cert.Subject, cert.NotAfter.UTC().Format(time.DateOnly)))
	if !key.resumed {
		key.tell(o.host, o.key)
	} else {
		key.warn(o.host)
	}
	return o.report(cert)
}

// adoptError says that the files to take over are not as they should be.
type adoptError struct{ err error }

func (e *adoptError) Error() string { return e.err.Error() }
func (e *adoptError) Unwrap() error { return &caError{error: e.err} }

// adoptedKey opens the key to take over, which is ca.key, or the one that --key names.
func (o *initOptions) adoptedKey(ctx context.Context, cert *x509.Certificate) (*caKey, error) {
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

// checkAdopted holds a foreign root against the rules, as one of our own is before it is
// signed.
func (o *initOptions) checkAdopted(cert *x509.Certificate, key *openKey) error {
	if _, err := ca.New(cert, key); err != nil {
		return &caError{error: fmt.Errorf("%s and %s: %w", o.store.certPath(rootName), key, err)}
	}
	warnings, err := o.ca.allow.foreign(o.store.certPath(rootName), cert)
	for _, warning := range warnings {
		o.warn(warning)
	}
	return err
}
