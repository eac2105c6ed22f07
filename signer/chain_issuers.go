package signer

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"time"

	"kedge/internal/dn"
)

// Limits of the search, so that a hostile file costs a moment at most: checking an RSA signature
// takes time that grows with the square of the key.
const (
	maxIssuerRSA  = 16384    // bits
	maxIssuedSize = 16 << 10 // bytes of DER
	maxSignatures = 128      // checked in one search; certificates of other names cost none
)

// issuerFinder finds out which of the given certificates issued which. It checks each signature once.
type issuerFinder struct {
	pool      []located            // without duplicates
	bySubject map[string][]located // by dn.Key
	keys      map[string]string    // encoded name -> dn.Key
	ordered   map[*x509.Certificate][]located
	checked   map[link]bool // whether the signature is right
	exhausted bool          // maxSignatures kept one from being checked
}

// link is a child and the certificate that may have issued it.
type link struct{ child, issuer *x509.Certificate }

func newIssuerFinder(given []located) *issuerFinder {
	f := &issuerFinder{
		bySubject: map[string][]located{}, keys: map[string]string{},
		ordered: map[*x509.Certificate][]located{}, checked: map[link]bool{},
	}
	seen := map[string]bool{}
	for _, c := range given {
		if seen[string(c.Raw)] {
			continue
		}
		seen[string(c.Raw)] = true
		key := f.key(c.RawSubject)
		f.pool, f.bySubject[key] = append(f.pool, c), append(f.bySubject[key], c)
	}
	return f
}

func (f *issuerFinder) key(name []byte) string {
	key, ok := f.keys[string(name)]
	if !ok {
		key = dn.Key(name)
		f.keys[string(name)] = key
	}
	return key
}

// named returns the certificates that have the name of child's issuer (RFC 5280, 7.1), the
// likeliest first: key identifiers are a hint and no rule (RFC 5280, 4.2.1.1), and so are names that
// are equal to the byte.
func (f *issuerFinder) named(child located, now time.Time) []located {
	if ordered, ok := f.ordered[child.Certificate]; ok {
		return ordered
	}
	var ordered []located
	for _, a := range f.bySubject[f.key(child.RawIssuer)] { // in their order where none is likelier
		i := slices.IndexFunc(ordered, func(b located) bool {
			return cmp.Or(
				cmp.Compare(keyIDRank(child, a), keyIDRank(child, b)),
				compareBool(bytes.Equal(a.RawSubject, child.RawIssuer), bytes.Equal(b.RawSubject, child.RawIssuer)),
				compareBool(inTime(a, now), inTime(b, now)),
				a.NotAfter.Compare(b.NotAfter)) > 0
		})
		if i < 0 {
			i = len(ordered)
		}
		ordered = append(ordered, a)
		copy(ordered[i+1:], ordered[i:])
		ordered[i] = a
	}
	f.ordered[child.Certificate] = ordered
	return ordered
}

// keyIDRank is 2 where the key identifiers of child and issuer are equal, 0 where they differ, and
// 1 where one of them is missing.
func keyIDRank(child, issuer located) int {
	switch {
	case len(child.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0:
		return 1
	case bytes.Equal(child.AuthorityKeyId, issuer.SubjectKeyId):
		return 2
	}
	return 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// signed reports whether issuer may sign certificates and signed child. It is false as well where
// a limit forbids to check that.
func (f *issuerFinder) signed(child, issuer located) bool {
	l := link{child.Certificate, issuer.Certificate}
	right, known := f.checked[l]
	if known || tooLarge(child, issuer) {
		return right
	}
	if len(f.checked) == maxSignatures {
		f.exhausted = true
		return false
	}
	right = child.CheckSignatureFrom(issuer.Certificate) == nil
	f.checked[l] = right
	return right
}

// tooLarge reports whether checking the signature would take too long.
func tooLarge(child, issuer located) bool {
	key, isRSA := issuer.PublicKey.(*rsa.PublicKey)
	return isRSA && key.N.BitLen() > maxIssuerRSA || len(child.Raw) > maxIssuedSize
}

// isRoot tells a root from the certificate of a new key that the old one of the same CA signed
// (RFC 5280, 3.2, self-issued). Go does not check the weak digests of old roots; what has them
// cannot be sent anyhow.
func (f *issuerFinder) isRoot(c located) bool {
	return f.key(c.RawSubject) == f.key(c.RawIssuer) && (!strongDigest(c.SignatureAlgorithm) || f.signed(c, c))
}
