package emulator

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	maxCRLSize     = 300_000 // bytes (guide, "quotas"; ImportCrl crlData)
	maxCRLs        = 2       // per trust anchor (guide, "quotas")
	maxCRLPEMSize  = 2 * maxCRLSize
	removeFromCRL  = 8 // RFC 5280 5.3.1
	crlPEMTypeName = "X509 CRL"
)

// crl is an imported revocation list: the serial numbers that one certificate of the anchor
// took back.
type crl struct {
	issuer  *x509.Certificate
	revoked map[string]bool // decimal serial
}

// importCRL adds a list, PEM or DER. As ImportCrl does, it takes only one that the anchor's
// own CA signed (guide, "revocation"). A list whose nextUpdate has passed still counts: ours,
// and the safe side.
func (a *anchor) importCRL(data []byte) error {
	if len(a.crls) >= maxCRLs {
		return fmt.Errorf("it has %d CRLs already, which is the most", maxCRLs)
	}
	if len(data) > maxCRLPEMSize {
		return fmt.Errorf("the CRL has %d bytes; %d is the most", len(data), maxCRLSize)
	}
	if block, _ := pem.Decode(data); block != nil {
		if block.Type != crlPEMTypeName {
			return fmt.Errorf("the CRL's PEM holds a %s, not an %s", block.Type, crlPEMTypeName)
		}
		data = block.Bytes
	}
	if len(data) > maxCRLSize {
		return fmt.Errorf("the CRL has %d bytes; %d is the most", len(data), maxCRLSize)
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		return fmt.Errorf("the CRL cannot be read: %w", err)
	}
	for _, ext := range list.Extensions {
		// RFC 5280 5.2: a list with a critical extension that is not understood (a delta, one for
		// some certificates only) says nothing about the others.
		if ext.Critical {
			return fmt.Errorf("the CRL has the critical extension %s: a delta or partial list", ext.Id)
		}
	}
	issuer, err := a.crlIssuer(list)
	if err != nil {
		return err
	}
	result := &crl{issuer: issuer, revoked: map[string]bool{}}
	for _, entry := range list.RevokedCertificateEntries {
		if entry.ReasonCode != removeFromCRL {
			result.revoked[entry.SerialNumber.String()] = true
		}
	}
	a.crls = append(a.crls, result)
	return nil
}

func (a *anchor) crlIssuer(list *x509.RevocationList) (*x509.Certificate, error) {
	result := errors.New("no certificate of the anchor has the CRL's issuer name")
	for _, cert := range a.certs {
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

// revoked returns the first certificate of a verified path that is on a list of its issuer.
func (a *anchor) revoked(path []*x509.Certificate) *x509.Certificate {
	for i, cert := range path[:len(path)-1] {
		for _, list := range a.crls {
			if sameCA(list.issuer, path[i+1]) && list.revoked[cert.SerialNumber.String()] {
				return cert
			}
		}
	}
	return nil
}

// sameCA: a certificate that a CA renewed, with its name and key, is still that CA.
func sameCA(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}
