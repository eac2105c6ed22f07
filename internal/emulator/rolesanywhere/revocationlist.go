package rolesanywhere

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
)

const (
	maxCRLSize    = 300_000 // bytes of what is uploaded, PEM or DER (guide, "quotas"; ImportCrl crlData)
	maxCRLs       = 2       // per trust anchor (guide, "quotas")
	removeFromCRL = 8       // RFC 5280 5.3.1
)

// ParseCRL parses one CRL, PEM or DER. One whose nextUpdate has passed still applies: ours, and the
// safe choice.
func ParseCRL(data []byte) (*x509.RevocationList, error) {
	if len(data) > maxCRLSize {
		return nil, fmt.Errorf("the CRL has %d bytes, as it is given; %d is the most", len(data), maxCRLSize)
	}
	blocks, err := pemBlocks(data, "X509 CRL")
	if err != nil {
		return nil, fmt.Errorf("the CRL cannot be read: %w", err)
	}
	if len(blocks) > 0 {
		data = blocks[0]
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, fmt.Errorf("the CRL cannot be read: %w", err)
	}
	if len(blocks) > 1 || len(list.Raw) < len(data) {
		return nil, errors.New("the file holds more than one CRL")
	}
	for _, ext := range list.Extensions {
		// RFC 5280 5.2: a CRL with an unknown critical extension (a delta, one for some
		// certificates only) must not be used.
		if ext.Critical {
			return nil, fmt.Errorf("the CRL has the critical extension %s: a delta or partial list", ext.Id)
		}
	}
	return list, nil
}

// issuerOf returns the certificate of the anchor that signed a list.
func (a *TrustAnchor) issuerOf(list *x509.RevocationList) (*x509.Certificate, error) {
	result := errors.New("no certificate of the anchor has the CRL's issuer name")
	for _, cert := range a.certificates {
		if !bytes.Equal(cert.RawSubject, list.RawIssuer) {
			continue
		}
		err := list.CheckSignatureFrom(cert)
		if err == nil {
			return cert, nil
		}
		result = fmt.Errorf("the CRL is not signed by the anchor's CA: %w", err)
	}
	return nil, result
}

// sameCA: a renewed CA certificate, with the same name and key, is still that CA.
func sameCA(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}
