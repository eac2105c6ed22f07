package role

import "crypto/x509"

// FirstLeaf returns the first certificate that is no CA's, else the first.
func FirstLeaf(certs []*x509.Certificate) *x509.Certificate {
	for _, cert := range certs {
		if !cert.IsCA {
			return cert
		}
	}
	return certs[0]
}
