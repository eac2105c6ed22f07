package rolesanywhere

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"kedge/internal/emulator/wire"
)

const (
	maxAnchorPEM   = 8000 // characters (guide, "quotas"; the model has 16,000, for raised quotas)
	maxAnchorCerts = 2    // guide, "quotas": certificates per trust anchor
)

// The types of sources (model).
const (
	sourcePCA        = "AWS_ACM_PCA"
	sourceBundle     = "CERTIFICATE_BUNDLE"
	sourceRepository = "SELF_SIGNED_REPOSITORY"
)

// Source is where the certificates of a trust anchor come from.
type Source struct {
	Type string     `json:"sourceType,omitzero"`
	Data SourceData `json:"sourceData,omitzero"`
}

// SourceData is a union: one member is set.
type SourceData struct {
	Certificates *string `json:"x509CertificateData,omitzero"` // PEM
	PCA          *string `json:"acmPcaArn,omitzero"`
}

// Bundle returns a source of certificates, PEM.
func Bundle(certificates []byte) Source {
	data := string(certificates)
	return Source{Type: sourceBundle, Data: SourceData{Certificates: &data}}
}

// ErrBasicConstraints is returned if a trust anchor's certificate is not one of a CA, with the text
// of CreateTrustAnchor (field reports).
//
//lint:ignore ST1005 the service's own words
var ErrBasicConstraints = errors.New("Incorrect basic constraints for CA certificate")

// constraints checks a source of a request by the model. Which data belongs to which type is ours.
func (s *Source) constraints() *wire.Error {
	if refusal := checkOneOf("source.sourceType", s.Type, sourcePCA, sourceBundle, sourceRepository); refusal != nil {
		return refusal
	}
	if s.Type == sourcePCA {
		return pcaText().required("source.sourceData.acmPcaArn", s.Data.PCA)
	}
	return certificateText().required("source.sourceData.x509CertificateData", s.Data.Certificates)
}

// certificates returns the certificates of a source, checked as CreateTrustAnchor does. A source of
// AWS Private CA has none: there is no such service here, so its trust anchor trusts nothing.
func (s *Source) certificates() ([]*x509.Certificate, error) {
	if s.Data.PCA != nil && s.Data.Certificates != nil {
		return nil, errors.New("sourceData has two members, and is a union")
	}
	if s.Type == sourcePCA {
		return nil, nil
	}
	if s.Data.Certificates == nil {
		return nil, errors.New("sourceData has no x509CertificateData")
	}
	return anchorCertificates([]byte(*s.Data.Certificates))
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
	case !StrongSignature(cert):
		return fmt.Errorf("signed with %s; SHA-256 or better is needed", cert.SignatureAlgorithm)
	case bytes.Equal(cert.RawIssuer, cert.RawSubject) && cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil:
		return errors.New("its own signature does not verify")
	}
	return nil
}

// StrongSignature reports whether the certificate was signed with SHA-256 or better, or with an
// algorithm that has no hash to choose (guide, "trust-model").
func StrongSignature(cert *x509.Certificate) bool {
	switch cert.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA,
		x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return false
	}
	return true
}
