package ca

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
)

// CheckKey has the key of the CA sign a certificate request, which is thrown away, and verifies it:
// a key store can lose a key, or its session, after it was opened. A
// crypto.Signer has no context: how long this takes is bounded by the time limit of the key, if it has one.
func (a *Authority) CheckKey() error {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "check of the key"}}, a.key)
	if err != nil {
		return fmt.Errorf("the key of %q does not sign: %w", a.cert.Subject, err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || request.CheckSignature() != nil || !SameKey(request.PublicKey, a.cert.PublicKey) {
		return fmt.Errorf("a signature of the key of %q does not verify: it is another's, or its key store is faulty", a.cert.Subject)
	}
	return nil
}
