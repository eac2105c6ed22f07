package signer

import (
	"bytes"
	"crypto/rsa"
	"slices"
	"time"
)

// What is looked at to find issuers, so that a hostile file costs no more than a moment:
// checking an RSA signature takes time that grows with the square of the key.
const (
	maxIssuerRSA  = 16384    // bits
	maxIssuedSize = 16 << 10 // bytes of DER
	maxSignatures = 128      // checked for one path; certificates of other names cost none
)

// pathFinder walks from the leaf towards the root through whatever was given.
//
// An issuer is the certificate whose subject is the child's issuer, byte for byte (RFC 5280,
// 6.1.3 a 4, without the name folding that no CA relies on), that may sign certificates, and
// whose key verifies the child.
type pathFinder struct {
	pool    []located
	now     time.Time
	checked int // signatures
}

// path ends where no issuer is at hand, since that is the trust anchor's side, or before a
// self-signed certificate: the service has the root and counts what is sent. Where an issuer
// is there both self-signed and certified by another CA, the way goes on through the latter
// if it leads somewhere: either of the two CAs may be the trust anchor.
//
// A path of more than maxChain is cut after one more.
func (f *pathFinder) path(leaf located) []located {
	var path []located
	atRoot := -1 // how much of the path reaches the last root on the way
	for child := leaf; len(path) <= maxChain; child = path[len(path)-1] {
		root, issuers := f.issuersOf(child, path)
		if root {
			atRoot = len(path)
		}
		issuer, ok := best(issuers, f.now)
		if !ok {
			break
		}
		if atRoot >= 0 && (len(path) == maxChain || !inTime(issuer, f.now) || !strongDigest(issuer.SignatureAlgorithm)) {
			return path[:atRoot]
		}
		path = append(path, issuer)
	}
	return path
}

// issuersOf returns the issuers of child that are not on the path yet and not self-signed,
// and whether a self-signed one is there too.
func (f *pathFinder) issuersOf(child located, path []located) (root bool, issuers []located) {
	for _, c := range f.pool {
		if !bytes.Equal(c.RawSubject, child.RawIssuer) || contains(path, c) || !f.signed(child, c) {
			continue
		}
		if f.selfSigned(c) {
			root = true
		} else {
			issuers = append(issuers, c)
		}
	}
	return root, issuers
}

// signed tells whether issuer signed child.
func (f *pathFinder) signed(child, issuer located) bool {
	key, isRSA := issuer.PublicKey.(*rsa.PublicKey)
	if isRSA && key.N.BitLen() > maxIssuerRSA || len(child.Raw) > maxIssuedSize || f.checked == maxSignatures {
		return false
	}
	f.checked++
	return child.CheckSignatureFrom(issuer.Certificate) == nil
}

// selfSigned tells a root from the certificate of a new key that the old one of the same CA
// signed (RFC 5280, 3.2, self-issued). Go does not check the weak digests of old roots; what
// has them cannot be sent anyhow.
func (f *pathFinder) selfSigned(c located) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && (!strongDigest(c.SignatureAlgorithm) || f.signed(c, c))
}

func contains(path []located, c located) bool {
	return slices.ContainsFunc(path, func(p located) bool { return p.Equal(c.Certificate) })
}
