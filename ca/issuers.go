package ca

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// IssuersAmong returns the certificates above one, up to the root, as far as they are among all:
// those whose name it has as issuer, and whose key signed it.
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
