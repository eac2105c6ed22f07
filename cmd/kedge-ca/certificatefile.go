package main

import (
	"crypto/x509"
	"errors"

	"kedge/ca"
	"kedge/signer"
)

// parseCertificates reads the certificates of a file that was given to a command, at least
// one. They may be in a PKCS #12 file, too, unless that is encrypted.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	certs, err := ca.ParseCertificates(data)
	if !errors.Is(err, ca.ErrPKCS12) {
		return certs, err
	}
	certs, err = signer.ParseCertificates(data, nil)
	switch {
	case errors.Is(err, signer.ErrPasswordRequired):
		return nil, errors.New("encrypted; take the certificates out of it: openssl pkcs12 -in FILE -nokeys")
	case err != nil:
		return nil, ca.ErrPKCS12
	}
	return certs, nil
}
