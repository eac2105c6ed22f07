package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"
)

// Authority issues certificates with one CA certificate and its key.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// New pairs a CA certificate with its key. It fails when they do not belong together or
// when the certificate is not one of a CA.
func New(cert *x509.Certificate, key crypto.Signer) (*Authority, error) {
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return nil, fmt.Errorf("the key does not belong to the CA certificate %q", cert.Subject)
	}
	if !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, fmt.Errorf("the certificate %q is not one of a CA: it needs CA true and the key usage keyCertSign", cert.Subject)
	}
	return &Authority{cert: cert, key: key}, nil
}

// Certificate returns the CA certificate: what is registered at AWS as the trust anchor. It
// must not be changed.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// NewRoot makes a self-signed root for key, valid from now for lifetime, with the
// extensions that CreateTrustAnchor asks for: CA true, keyCertSign, and cRLSign for
// revocation.
//
// Source: IAM Roles Anywhere User Guide, "Trust model"; RFC 5280, 4.2.1.
func NewRoot(key crypto.Signer, commonName string, lifetime time.Duration, now time.Time) (*Authority, error) {
	if err := checkName("name of the CA", commonName); err != nil {
		return nil, err
	}
	if lifetime <= 0 {
		return nil, errors.New("the lifetime of the CA must be longer than nothing")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(lifetime),
		IsCA:         true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return New(cert, key)
}

// backdate is how far notBefore lies in the past, in case a host's clock is behind.
const backdate = 5 * time.Minute

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate %q: %w", template.Subject, err)
	}
	return x509.ParseCertificate(der)
}
