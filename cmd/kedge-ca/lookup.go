package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca/ledger"
	"kedge/signer"
)

// noneNamedError says that nothing in the ledger goes by what was typed.
type noneNamedError struct{ text string }

func (e *noneNamedError) Error() string {
	return fmt.Sprintf("no certificate in the ledger is named by %q", e.text)
}

// lookup returns the filter that finds what text names, read as parseQueries does: the first
// query that finds a certificate. narrow holds further conditions, such as a state; its
// names, serial and fingerprint are overwritten. When nothing is found, the error is a
// *noneNamedError.
func (s *store) lookup(ctx context.Context, text string, narrow ledger.Filter) (ledger.Filter, error) {
	all, err := parseQueries(text)
	if err != nil {
		return narrow, err
	}
	for _, r := range all {
		f, ok, err := r.filter(narrow)
		if err != nil {
			return narrow, err
		}
		if !ok {
			continue
		}
		one := f
		one.Limit = 1
		for _, err := range s.ledger.List(ctx, one) {
			return f, err
		}
	}
	return narrow, &noneNamedError{text}
}

// filter adds the query to a filter; ok is false for a file that is not there.
func (r query) filter(f ledger.Filter) (_ ledger.Filter, ok bool, err error) {
	switch r.kind {
	case byFile:
		cert, err := readCertificate(r.value)
		if errors.Is(err, fs.ErrNotExist) {
			return f, false, nil
		}
		if err != nil {
			return f, false, err
		}
		f.Fingerprint = fingerprint(cert)
	case byFingerprint:
		f.Fingerprint = r.value
	case bySerial:
		f.Serial = r.value
	case bySubject:
		f.Subject = r.value
	case byCommonName:
		f.CommonName = r.value
	case byHost:
		f.Host = r.value
	case bySAN:
		f.SAN = r.value
	}
	return f, true, nil
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
