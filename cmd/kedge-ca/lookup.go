package main

import (
	"context"
	"crypto/x509"
	"fmt"

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
