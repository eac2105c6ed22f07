package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// pki is a random set of CAs with what they certified, of which some is given.
type pki struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	keys  []crypto.Signer // of each CA
	names []string        // of each CA; two may share one
	given []*node
	leaf  *node
}

// node is a certificate of a CA, or with ca -1 the leaf.
type node struct {
	*x509.Certificate
	ca, issuer int
}

func newKeys(t *testing.T, n int) []crypto.Signer {
	keys := make([]crypto.Signer, n)
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key
	}
	return keys
}

// newPKI makes two to nine CAs, of which the first ones are roots. CAs certify each other at random,
// mostly the next one; the last key is the leaf's.
func newPKI(t *testing.T, seed uint64, keys []crypto.Signer) *pki {
	p := &pki{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), keys: keys}
	n := 2 + p.rng.IntN(len(keys)-2)
	for i := range n {
		p.names = append(p.names, fmt.Sprintf("CA %d zürich", i))
		if i > 0 && p.chance(8) {
			p.names[i] = p.names[p.rng.IntN(i)]
		}
	}
	roots := 1 + p.rng.IntN(2)
	for i := range n {
		if i < roots {
			p.give(p.certify(i, i))
		}
		for range p.rng.IntN(3) + max(0, 1-i) {
			p.give(p.certify(i, p.issuerFor(i, n)))
		}
		if i >= roots {
			p.give(p.certify(i, i-1))
		}
	}
	p.leaf = p.certify(-1, n-1-p.rng.IntN(min(n, 3)))
	p.rng.Shuffle(len(p.given), func(i, j int) { p.given[i], p.given[j] = p.given[j], p.given[i] })
	return p
}

func (p *pki) chance(percent int) bool { return p.rng.IntN(100) < percent }

func (p *pki) issuerFor(ca, n int) int {
	if ca > 0 && p.chance(60) {
		return p.rng.IntN(ca)
	}
	return p.rng.IntN(n) // of a later one: a loop; of itself: another self-signed one
}

// give leaves some out.
func (p *pki) give(c *node) {
	if p.chance(12) {
		return
	}
	p.given = append(p.given, c)
}

// certify issues a certificate, with each of its flaws once in a while.
func (p *pki) certify(ca, issuer int) *node {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1 + p.rng.Int64N(1<<60)), BasicConstraintsValid: true,
		NotBefore: noon.AddDate(0, 0, -1-p.rng.IntN(400)), NotAfter: noon.AddDate(0, 0, 1+p.rng.IntN(1000)),
		KeyUsage: x509.KeyUsageDigitalSignature, RawSubject: encodeName(p.rng, "leaf"), IsCA: ca >= 0,
	}
	key := p.keys[len(p.keys)-1]
	if ca >= 0 {
		key, template.RawSubject, template.KeyUsage = p.keys[ca], encodeName(p.rng, p.names[ca]), x509.KeyUsageCertSign
		p.spoil(template)
	}
	parent := &x509.Certificate{RawSubject: encodeName(p.rng, p.names[issuer]), PublicKey: p.keys[issuer].Public()}
	if p.shared(p.names[issuer]) || p.chance(60) {
		template.AuthorityKeyId = keyID(issuer)
	}
	if ca >= 0 && template.IsCA {
		template.SubjectKeyId = keyID(ca)
	}
	if ca == issuer {
		parent.RawSubject = template.RawSubject
		if p.chance(30) {
			parent.RawSubject = encodeName(p.rng, p.names[issuer])
		}
	}
	der, err := x509.CreateCertificate(crand.Reader, template, parent, key.Public(), p.keys[issuer])
	if err != nil {
		p.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return &node{cert, ca, issuer}
}

// shared reports whether two CAs have the name. openssl does not try the next of them when the key of
// one does not fit, so that it needs key identifiers to find the right one.
func (p *pki) shared(name string) bool {
	first := slices.Index(p.names, name)
	return slices.Contains(p.names[first+1:], name)
}

func keyID(ca int) []byte { return []byte{1, 2, 3, byte(ca)} }

func (p *pki) spoil(c *x509.Certificate) {
	switch n := p.rng.IntN(100); {
	case n < 12:
		c.NotAfter = noon.Add(-1e9)
	case n < 15:
		c.NotBefore = noon.Add(1e9)
	case n < 27:
		c.MaxPathLen, c.MaxPathLenZero = p.rng.IntN(3), true
	case n < 30:
		c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature
	}
}

// encodeName writes a common name in one of the ways that are equal to each other.
func encodeName(rng *rand.Rand, cn string) []byte {
	value := asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(cn)}
	switch rng.IntN(8) {
	case 0:
		value.Bytes = []byte(strings.Replace(strings.ToLower(cn), "ca ", " cA   ", 1) + " ")
	case 1:
		value.Tag, value.Bytes = asn1.TagBMPString, nil
		for _, unit := range utf16.Encode([]rune(cn)) {
			value.Bytes = append(value.Bytes, byte(unit>>8), byte(unit))
		}
	case 2:
		value.Tag, value.Bytes = asn1.TagT61String, nil
		for _, r := range cn {
			value.Bytes = append(value.Bytes, byte(r))
		}
	}
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type rdnSET []attribute
	der, err := asn1.Marshal([]rdnSET{{{asn1.ObjectIdentifier{2, 5, 4, 3}, value}}})
	if err != nil {
		panic(err)
	}
	return der
}

// pool is what is given, some of it twice.
func (p *pki) pool() []located {
	pool := []located{{Certificate: p.leaf.Certificate}}
	for i, c := range p.given {
		pool = append(pool, located{Certificate: c.Certificate})
		if i%5 == 0 {
			pool = append(pool, located{Certificate: c.Certificate})
		}
	}
	return pool
}

func (p *pki) roots() []*node {
	var roots []*node
	for _, c := range p.given {
		if c.issuer == c.ca && c.IsCA {
			roots = append(roots, c)
		}
	}
	return roots
}

// String lists what was given, for a failure.
func (p *pki) String() string {
	text := fmt.Sprintf("KEDGE_TEST_SEED=%d\nleaf issued by %d\n", p.seed, p.leaf.issuer)
	for i, c := range p.given {
		text += fmt.Sprintf("#%d: CA %d (%s) issued by %d, CA %t, path length %d, in time %t, until %s\n",
			i, c.ca, p.names[c.ca], c.issuer, c.IsCA, c.MaxPathLen, !noon.Before(c.NotBefore) && !noon.After(c.NotAfter), c.NotAfter)
	}
	return text
}
