package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/signer"
)

// lookup returns the filter that finds what text names: the first way to read it that finds a
// certificate.
func (s *store) lookup(ctx context.Context, text string, narrow ledger.Filter) (ledger.Filter, error) {
	return s.service.Lookup(ctx, text, narrow)
}

// readCertificate reads the first certificate of a PEM or DER file.
func readCertificate(path string) (*x509.Certificate, error) {
	data, err := signer.File(path).Read()
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs[0], nil
}

// fingerprint is the SHA-256 of a certificate in hex.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// serialHex is ca.SerialHex for a serial number without its certificate.
func serialHex(serial *big.Int) string {
	return ca.SerialHex(&x509.Certificate{SerialNumber: serial})
}
