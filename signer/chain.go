package signer

import (
	"bytes"
	"slices"
	"time"
)

// buildPath walks from the leaf towards the root through whatever was given. It stops where
// no issuer is at hand, since that is the trust anchor's side, and before a self-signed
// certificate: the service has the root and counts what is sent.
//
// An issuer is the certificate whose subject is the child's issuer, byte for byte (RFC 5280,
// 6.1.3 a 4, without the name folding that no CA relies on), that may sign certificates, and
// whose key verifies the child. Of several, cross-signed or renewed, the best one is taken.
func buildPath(leaf located, pool []located, now time.Time) []located {
	var path []located
	for child := leaf; !selfSigned(child); {
		issuer, ok := best(issuersOf(child, pool), now)
		if !ok || selfSigned(issuer) || contains(path, issuer) {
			break
		}
		path = append(path, issuer)
		child = issuer
	}
	return path
}

func issuersOf(child located, pool []located) []located {
	var issuers []located
	for _, c := range pool {
		if bytes.Equal(c.RawSubject, child.RawIssuer) && child.CheckSignatureFrom(c.Certificate) == nil {
			issuers = append(issuers, c)
		}
	}
	return issuers
}

func selfSigned(c located) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

func contains(path []located, c located) bool {
	return slices.ContainsFunc(path, func(p located) bool { return p.Equal(c.Certificate) })
}
