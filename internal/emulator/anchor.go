package emulator

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"kedge/internal/emulator/arn"
)

const (
	maxAnchorPEM   = 8000 // characters (guide, "quotas"; CreateTrustAnchor x509CertificateData)
	maxAnchorCerts = 2    // guide, "quotas": certificates per trust anchor
)

// ErrBasicConstraints is returned if a trust anchor's certificate is not one of a CA, with the text
// of CreateTrustAnchor (field reports).
//
//lint:ignore ST1005 the service's own words
var ErrBasicConstraints = errors.New("Incorrect basic constraints for CA certificate")

// anchor is a valid TrustAnchor.
type anchor struct {
	arn      arn.ARN
	alias    string
	disabled bool
	certs    []*x509.Certificate
	crls     []*crl
}

// AnchorError reports which trust anchor is refused.
type AnchorError struct {
	Anchor string // its file, or its ARN if there is no file
	Err    error  // ErrBasicConstraints, or another fault of the certificate or CRL
}

func (e *AnchorError) Error() string { return fmt.Sprintf("trust anchor %s: %v", e.Anchor, e.Err) }

// Unwrap returns the reason.
func (e *AnchorError) Unwrap() error { return e.Err }

// newAnchor makes the checks of CreateTrustAnchor.
func newAnchor(t TrustAnchor) (*anchor, error) {
	a, err := arn.Parse(t.ARN, "rolesanywhere", "trust-anchor")
	if err != nil {
		return nil, err
	}
	if err := checkAlias(t.Alias); err != nil {
		return nil, &AnchorError{cmp.Or(t.File, t.ARN), err}
	}
	certs, err := anchorCertificates(t.Certificates)
	if err != nil {
		return nil, &AnchorError{cmp.Or(t.File, t.ARN), err}
	}
	result := &anchor{arn: a, alias: t.Alias, disabled: t.Disabled, certs: certs}
	for _, data := range t.CRLs {
		list, err := parseCRL(data)
		if err == nil {
			err = result.importCRL(list)
		}
		if err != nil {
			return nil, fmt.Errorf("trust anchor %s: %w", cmp.Or(t.File, t.ARN), err)
		}
	}
	return result, nil
}

func anchorCertificates(data []byte) ([]*x509.Certificate, error) {
	if len(data) > maxAnchorPEM {
		return nil, fmt.Errorf("its PEM has %d characters; %d is the most", len(data), maxAnchorPEM)
	}
	blocks, err := pemBlocks(data, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, der := range blocks {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		if err := checkAnchorCertificate(cert); err != nil {
			return nil, fmt.Errorf("certificate %q: %w", cert.Subject, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 || len(certs) > maxAnchorCerts {
		return nil, fmt.Errorf("its PEM holds %d certificates; it must be 1 to %d", len(certs), maxAnchorCerts)
	}
	return certs, nil
}

// pemBlocks returns the PEM blocks of data. Blocks of another kind, and data that pem.Decode would
// skip, are errors.
func pemBlocks(data []byte, kind string) ([][]byte, error) {
	var blocks [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != kind {
			return nil, fmt.Errorf("its PEM holds a block %q, not %q alone", block.Type, kind)
		}
		blocks = append(blocks, block.Bytes)
	}
	if n := len(blocks); bytes.Count(data, []byte("-----BEGIN ")) != n || bytes.Count(data, []byte("-----END ")) != n {
		return nil, errors.New("its PEM has a broken block")
	}
	return blocks, nil
}

// checkAnchorCertificate checks a CA by the guide, "trust-model": X.509 v3, CA true, keyCertSign,
// SHA-256 or better.
func checkAnchorCertificate(cert *x509.Certificate) error {
	switch {
	case cert.Version != 3, !cert.BasicConstraintsValid, !cert.IsCA:
		return ErrBasicConstraints
	case cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("a CA certificate needs the key usage keyCertSign")
	case !strongSignature(cert):
		return fmt.Errorf("signed with %s; SHA-256 or better is needed", cert.SignatureAlgorithm)
	case bytes.Equal(cert.RawIssuer, cert.RawSubject) && cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil:
		return errors.New("its own signature does not verify")
	}
	return nil
}

// strongSignature reports whether the certificate was signed with SHA-256 or better, or with an
// algorithm that has no hash to choose (guide, "trust-model").
func strongSignature(cert *x509.Certificate) bool {
	switch cert.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA,
		x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return false
	}
	return true
}
