package localca

import (
	"context"
	"crypto/x509"
	"errors"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// Make makes a root CA in a folder that holds none: its key, its certificate and its ledger.
func Make(ctx context.Context, c Config, root ca.AuthorityConfig, r cadir.KeyRequest) (cert *x509.Certificate, err error) {
	if err := CheckVacant(ctx, c); err != nil {
		return nil, err
	}
	r.Authority = issuance.RootName
	key, err := c.Keys.Begin(ctx, r)
	defer func() { err = errors.Join(err, key.Close()) }()
	if err != nil {
		return nil, err
	}
	prepared, err := ca.PrepareRoot(key, root, c.Keys.Host.Now())
	if err != nil {
		return nil, err
	}
	if err := key.Protect(r); err != nil {
		return nil, err
	}
	cert, err = Found(ctx, c, key, prepared)
	if err != nil {
		return nil, err
	}
	c.done("made the CA %q, valid until %s", root.Subject.CommonName, until(cert))
	c.tellKey(key)
	c.tellRoot(cert)
	return cert, nil
}

// tellRoot reports what to do with the certificate of a root.
func (c Config) tellRoot(cert *x509.Certificate) {
	text := "register it at IAM Roles Anywhere as a trust anchor, as kedge-ca aws up does"
	if _, err := issuance.AnchorPEM(ledger.Authority{Name: issuance.RootName, Certificate: cert}); err != nil {
		text = "too large for a trust anchor; make an intermediate with a smaller key and register that"
	}
	c.done("%s is its certificate: %s", c.Keys.Folder.CertificatePath(issuance.RootName), text)
}
