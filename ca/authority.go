package ca

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
)

// Authority issues certificates with one CA certificate and its key.
type Authority struct {
	cert    *x509.Certificate
	key     crypto.Signer
	issuers []*x509.Certificate
	room    int // how many CA certificates may be below it; -1: any number
}

// New pairs a CA certificate with its key and the certificates above it, from its own issuer to the
// root. It fails when the key does not belong to the certificate, when a certificate is not a CA's
// or did not sign the one before it, when the last is not a root, and with a *LintError when the
// service would refuse the CA certificate or the path is longer than a certificate in it or the
// service allows. Lint warnings are no errors, since the certificate exists already. Validity is
// checked when something is issued. So are extended key usages that leave no leaf usable: such a CA
// can still revoke what it issued.
//
// Source: RFC 5280, 6.1; IAM Roles Anywhere User Guide, "Trust model".
func New(cert *x509.Certificate, key crypto.Signer, issuers ...*x509.Certificate) (*Authority, error) {
	if !SameKey(cert.PublicKey, key.Public()) {
		return nil, fmt.Errorf("the key does not belong to the CA certificate %q", cert.Subject)
	}
	path := append([]*x509.Certificate{cert}, issuers...)
	for _, c := range path {
		if !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
			return nil, fmt.Errorf("the certificate %q is not one of a CA: it needs CA true and the key usage keyCertSign", c.Subject)
		}
	}
	fatal := slices.DeleteFunc(Lint(cert, issuers), func(f Finding) bool {
		return f.Severity != Error || f.Rule == ruleCAExtKeyUsage || f.Rule == ruleIssuerExtKeyUsage
	})
	if err := Refuse(cert, fatal, nil); err != nil {
		return nil, err
	}
	for i := range path {
		if err := checkStep(path, i); err != nil {
			return nil, err
		}
	}
	return &Authority{cert: cert, key: key, issuers: path[1:], room: room(path)}, nil
}

// checkStep checks a certificate of a path and the one above it. Only the last is a root.
func checkStep(path []*x509.Certificate, i int) error {
	c, last := path[i], i == len(path)-1
	switch root := IsRoot(c); {
	case last && !root:
		return fmt.Errorf("the certificates above %q end before the root: %q is issued by %q, which is missing", path[0].Subject, c.Subject, c.Issuer)
	case last:
		return nil
	case root:
		return fmt.Errorf("%q is a root; there can be no issuer above it", c.Subject)
	}
	if issuer := path[i+1]; !bytes.Equal(c.RawIssuer, issuer.RawSubject) || c.CheckSignatureFrom(issuer) != nil {
		return fmt.Errorf("the certificate %q is not issued by %q, or not with its key", c.Subject, issuer.Subject)
	}
	return nil
}

// IsRoot reports whether a certificate is signed with its own key. One that is only self-issued,
// signed by an older key of the same name, is not (RFC 5280, 3.2).
func IsRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) &&
		c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// room returns how many CA certificates may be below the first of a path, -1 for any number.
// Self-issued ones do not count (RFC 5280, 4.2.1.9).
func room(path []*x509.Certificate) int {
	least, below := -1, 0
	for _, c := range path {
		if limit, ok := pathLength(c); ok && (least < 0 || limit-below < least) {
			least = max(limit-below, 0)
		}
		if !isSelfIssued(c) {
			below++
		}
	}
	return least
}

// pathLength returns the pathLenConstraint of a CA certificate (RFC 5280, 4.2.1.9).
func pathLength(c *x509.Certificate) (limit int, ok bool) {
	ok = c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLen == 0 && c.MaxPathLenZero)
	return c.MaxPathLen, ok
}

// Certificate returns the CA certificate. It must not be changed.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Issuers returns the certificates above the CA's, from its issuer to the root: none for a
// root. They must not be changed.
func (a *Authority) Issuers() []*x509.Certificate { return slices.Clone(a.issuers) }

// Chain returns the certificates that a host sends with a leaf of this CA: the CA's and those
// above, without the root, which is the trust anchor. It is nil for a root. They must not be
// changed.
func (a *Authority) Chain() []*x509.Certificate {
	if len(a.issuers) == 0 {
		return nil
	}
	return a.path()[:len(a.issuers)]
}

// path returns the CA certificate and those above it, with the root.
func (a *Authority) path() []*x509.Certificate {
	return append([]*x509.Certificate{a.cert}, a.issuers...)
}

// SameKey reports whether two public keys are equal, of whatever types they are.
func SameKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}
