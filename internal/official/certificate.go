// Package official has what the official helper prints of keys and certificates, byte for byte.
package official

import (
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
)

// Certificate is the official helper's output, field by field.
type Certificate struct {
	KeyType             string   `json:"keyType"`
	CertificateData     string   `json:"certificateData"` // base64 of the DER
	SerialNumber        string   `json:"serialNumber"`    // decimal
	SupportedAlgorithms []string `json:"supportedAlgorithms"`
}

// Describe fills the official helper's fields. ML-DSA, which it does not know, is
// keyType "MLDSA" with the parameter sets as algorithms; other keys have none.
func Describe(cert *x509.Certificate) Certificate {
	d := Certificate{
		CertificateData:     base64.StdEncoding.EncodeToString(cert.Raw),
		SerialNumber:        cert.SerialNumber.String(),
		SupportedAlgorithms: []string{},
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		d.KeyType = "RSA"
		d.SupportedAlgorithms = []string{"RSASHA256", "RSASHA384", "RSASHA512"}
	case *ecdsa.PublicKey:
		d.KeyType = "EC"
		d.SupportedAlgorithms = []string{"ECSHA256", "ECSHA384", "ECSHA512"}
	case *mldsa.PublicKey:
		d.KeyType = "MLDSA"
		d.SupportedAlgorithms = []string{key.Parameters().String()}
	}
	return d
}
