package ca

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// IssuersAmong returns the certificates above cert, up to the root, as far as they are in all:
// those whose subject is its issuer, and whose key signed it.
func IssuersAmong(cert *x509.Certificate, all []*x509.Certificate) []*x509.Certificate {
	var path []*x509.Certificate
	for below := cert; len(path) < len(all) && !IsRoot(below); {
		i := slices.IndexFunc(all, func(c *x509.Certificate) bool {
			return !c.Equal(below) && bytes.Equal(c.RawSubject, below.RawIssuer) && below.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		below = all[i]
		path = append(path, below)
	}
	return path
}
