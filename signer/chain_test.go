package signer

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

func years(n int) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = noon.AddDate(n, 0, 0) }
}

// Who the anchor is, the old root or the one it certified, is known to the service only: the
// longer path serves both.
func TestNewIdentity_crossSignedRoot(t *testing.T) {
	old := mint(t, "old root", nil, asCA, years(1))
	root := mint(t, "root", nil, asCA, years(10))
	cross := mintFor(t, root.key, "root", old, asCA, years(1))
	expired := mintFor(t, root.key, "root", old, asCA, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Hour) })
	deadEnd := mintFor(t, old.key, "old root", mint(t, "older root", nil, asCA), asCA, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Hour) })
	long := []*minted{root}
	for i := range 5 {
		long = append(long, mint(t, strings.Repeat("i", i+1), long[i], asCA))
	}
	for _, tt := range []struct {
		name  string
		under *minted
		given []*minted
		want  string
	}{
		{"without the root", root, []*minted{cross}, "root<-old root"},
		{"with the root", root, []*minted{root, cross}, "root<-old root"},
		{"with both roots", root, []*minted{old, root, cross}, "root<-old root"},
		{"an expired cross-signature does not count", root, []*minted{root, expired}, ""},
		{"nor one that leads to something expired", root, []*minted{root, cross, deadEnd}, ""},
		{"nor one that is too much", long[5], append([]*minted{cross}, long...), "iiiii<-iiii iiii<-iii iii<-ii ii<-i i<-root"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantChain(t, mint(t, "leaf", tt.under), tt.given, tt.want) })
	}
}

// A CA that changes its key signs the new one with the old one under the same name.
func TestNewIdentity_rolledOverCA(t *testing.T) {
	old := mint(t, "ca", nil, asCA)
	rolled := mint(t, "ca", old, asCA)
	wantChain(t, mint(t, "leaf", rolled), []*minted{rolled}, "ca<-ca")
	wantChain(t, mint(t, "leaf", rolled), []*minted{old, rolled}, "ca<-ca")
}

func TestNewIdentity_leafNamedAsItsIssuer(t *testing.T) {
	ca := mint(t, "web", mint(t, "root", nil, asCA), asCA)
	wantChain(t, mint(t, "web", ca), []*minted{ca}, "web<-root")
}

// Go checks no SHA-1, so that a root signed with it cannot be told by its signature.
func TestNewIdentity_rootWithOldDigest(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	leaf := mint(t, "leaf", root)
	old := *root.Certificate
	old.SignatureAlgorithm = x509.ECDSAWithSHA1
	wantChain(t, leaf, []*minted{{&old, root.key}}, "")
}

// Before there was a CA, the key had a self-signed certificate, as tools make it by default.
func TestNewIdentity_selfSignedOfTheSameKey(t *testing.T) {
	ca := mint(t, "ca", mint(t, "root", nil, asCA), asCA)
	leaf := mint(t, "leaf", ca)
	self := mintFor(t, leaf.key, "self", nil, asCA, years(10))
	wantChain(t, leaf, []*minted{self, ca}, "ca<-root")
}

// wantChain holds the chain of leaf, with the other certificates given around it, against
// "subject<-issuer" for each.
func wantChain(t *testing.T, leaf *minted, given []*minted, want string) {
	t.Helper()
	var certs []*x509.Certificate
	for _, c := range given {
		certs = append(certs, c.Certificate)
	}
	id, err := NewIdentity(leaf.key, append(certs, leaf.Certificate), noon)
	if err != nil {
		t.Fatal(err)
	}
	if !id.Leaf().Equal(leaf.Certificate) {
		t.Errorf("leaf %s", id.Leaf().Subject)
	}
	var got []string
	for _, c := range id.Chain() {
		got = append(got, c.Subject.CommonName+"<-"+c.Issuer.CommonName)
	}
	if strings.Join(got, " ") != want {
		t.Errorf("chain %v, want %s", got, want)
	}
}

// Signatures that would take seconds are not checked: what is counted is what costs time.
func TestPathFinder_boundsWork(t *testing.T) {
	ca := mint(t, "ca", nil, asCA)
	leaf := located{Certificate: mint(t, "leaf", ca).Certificate}
	issuer := func(key any) located {
		c := *ca.Certificate
		c.PublicKey = key
		c.Raw = fmt.Append(nil, key) // another certificate
		return located{Certificate: &c}
	}
	rsaKey := func(bits uint) located {
		return issuer(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1), E: 65537})
	}
	large := *leaf.Certificate
	large.Raw = make([]byte, maxIssuedSize+1)
	other := mint(t, "ca", nil, asCA)
	for _, tt := range []struct {
		name  string
		child located
		pool  []located
		want  int
	}{
		{"an issuer", leaf, []located{issuer(ca.PublicKey)}, 2}, // and whether it is a root
		{"largest RSA", leaf, []located{rsaKey(maxIssuerRSA)}, 1},
		{"huge RSA", leaf, []located{rsaKey(maxIssuerRSA + 1), rsaKey(1 << 21)}, 0},
		{"huge child", located{Certificate: &large}, []located{issuer(ca.PublicKey)}, 0},
		{"other names", leaf, []located{leaf, leaf}, 0},
		{"many issuers", leaf, manyOf(1000, issuer(other.PublicKey)), maxSignatures},
	} {
		f := newPathFinder(tt.child, tt.pool, noon)
		if f.path(); len(f.issuers.checked) != tt.want {
			t.Errorf("%s: %d signatures checked, want %d", tt.name, len(f.issuers.checked), tt.want)
		}
	}
}

// manyOf returns certificates that differ in nothing but their bytes.
func manyOf(n int, like located) []located {
	all := make([]located, n)
	for i := range all {
		c := *like.Certificate
		c.Raw = fmt.Append(nil, i)
		all[i] = located{Certificate: &c}
	}
	return all
}

// The rules for the leaf come first, so that a leaf that is too large costs nothing more.
func TestNewIdentity_hugeLeafBeforeItsPath(t *testing.T) {
	leaf := mint(t, "leaf", nil)
	huge := *leaf.Certificate
	huge.Raw = bytes.Repeat(huge.Raw, 1+maxLeafSize/len(huge.Raw))
	number, err := rand.Prime(rand.Reader, 64)
	if err != nil {
		t.Fatal(err)
	}
	issuer := mint(t, "leaf", nil, asCA).Certificate
	issuer.PublicKey = &rsa.PublicKey{N: number.Lsh(number, 1<<21), E: 65537}
	if _, err := NewIdentity(leaf.key, []*x509.Certificate{&huge, issuer}, noon); err == nil || !strings.Contains(err.Error(), "at most 16384 are accepted") {
		t.Errorf("got %v", err)
	}
}

// A thousand certificates of one name and another key do not hide the right ones, whose key
// identifiers fit, and cost no more signatures than the limit allows.
func TestPathFinder_manyOfOneName(t *testing.T) {
	t.Parallel()
	root := mint(t, "ca", nil, asCA)
	// Go leaves the identifier out where a CA has its issuer's name.
	ca := mint(t, "ca", root, asCA, func(c *x509.Certificate) { c.AuthorityKeyId = root.SubjectKeyId })
	leaf := located{Certificate: mint(t, "leaf", ca).Certificate}
	for _, tt := range []struct {
		name string
		like *minted
	}{
		{"another key", mint(t, "ca", mint(t, "ca", nil, asCA), asCA)},
		{"another root", mint(t, "ca", nil, asCA)},
	} {
		pool := append(manyOf(1000, located{Certificate: tt.like.Certificate}), located{Certificate: ca.Certificate}, located{Certificate: root.Certificate}, leaf)
		f := newPathFinder(leaf, pool, noon)
		path := f.path()
		if len(path) != 1 || !path[0].Equal(ca.Certificate) || f.best.roots != 1 || len(f.issuers.checked) > maxSignatures {
			t.Errorf("%s: path of %d, %d roots, %d signatures", tt.name, len(path), f.best.roots, len(f.issuers.checked))
		}
	}
}

// CAs that all certified each other make as many paths as 128 signatures allow.
func TestPathFinder_everyoneCertifiedEveryone(t *testing.T) {
	t.Parallel()
	var cas []*minted
	for i := range 11 {
		cas = append(cas, mint(t, fmt.Sprint("ca", i), nil, asCA))
	}
	var pool []located
	for i, ca := range cas {
		for j, issuer := range cas {
			if i != j {
				cross := mintFor(t, ca.key, ca.Subject.CommonName, issuer, asCA)
				pool = append(pool, located{Certificate: cross.Certificate})
			}
		}
	}
	leaf := located{Certificate: mint(t, "leaf", cas[0]).Certificate}
	f := newPathFinder(leaf, append(pool, leaf), noon)
	start := time.Now()
	if f.path(); len(f.issuers.checked) > maxSignatures {
		t.Errorf("%d signatures", len(f.issuers.checked))
	}
	t.Logf("%d signatures, %s", len(f.issuers.checked), time.Since(start))
}

// Key identifiers are a hint: where they lead astray, the path is found all the same.
func TestPathFinder_wrongKeyIdentifiers(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	ca := mint(t, "ca", root, asCA, func(c *x509.Certificate) { c.SubjectKeyId = []byte{1} })
	other := mint(t, "ca", root, asCA, func(c *x509.Certificate) { c.SubjectKeyId = []byte{2} })
	parent := *ca.Certificate
	parent.SubjectKeyId = []byte{2} // the identifier of the other CA's key
	leaf := mint(t, "leaf", &minted{&parent, ca.key})
	wantChain(t, leaf, []*minted{other, ca, root}, "ca<-root")
}

// Names that differ in their encoding alone are equal: RFC 5280, 7.1.
func TestPathFinder_namesInOtherEncodings(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	ca := mint(t, "Web CA", root, asCA)
	parent := *ca.Certificate
	parent.Subject.CommonName = "WEB  ca "
	parent.RawSubject = nil
	leaf := mint(t, "leaf", &minted{&parent, ca.key})
	id, err := NewIdentity(leaf.key, []*x509.Certificate{leaf.Certificate, ca.Certificate, root.Certificate}, noon)
	if err != nil || len(id.Chain()) != 1 {
		t.Errorf("chain %v, %v", id, err)
	}
}

// A path to a root that was given comes first, then the one that is valid longest.
func TestNewIdentity_preferredPath(t *testing.T) {
	rootA, rootB := mint(t, "root A", nil, asCA), mint(t, "root B", nil, asCA)
	expiredA := mintFor(t, rootA.key, "root A", nil, asCA, until(noon.Add(-time.Hour)))
	ca := mint(t, "ca", nil, asCA)
	byA, byB := mintFor(t, ca.key, "ca", rootA, asCA, years(1)), mintFor(t, ca.key, "ca", rootB, asCA, years(2))
	expired := mintFor(t, ca.key, "ca", rootA, asCA, until(noon.Add(-time.Hour)))
	mid := mint(t, "mid", rootA, asCA, years(9))
	byMid := mintFor(t, ca.key, "ca", mid, asCA, years(3))
	strict := mintFor(t, mid.key, "mid", rootA, asCA, func(c *x509.Certificate) { c.MaxPathLenZero = true; c.NotAfter = noon.AddDate(9, 0, 0) })
	oldMid := mintFor(t, mid.key, "mid", rootB, asCA, until(noon.Add(-time.Hour)))
	short := mintFor(t, mid.key, "mid", rootA, asCA)
	leaf := mint(t, "leaf", byA)
	for _, tt := range []struct {
		name  string
		given []*minted
		want  string
	}{
		{"valid longest", []*minted{byA, byB}, "ca<-root B"},
		{"in the other order", []*minted{byB, byA}, "ca<-root B"},
		{"to root A", []*minted{byB, byA, rootA}, "ca<-root A"},
		{"to root B", []*minted{rootB, byA, byB}, "ca<-root B"},
		{"to both", []*minted{byA, rootA, byB, rootB}, "ca<-root B"},
		{"an expired root is no reason", []*minted{byA, expiredA, byB}, "ca<-root B"},
		{"but ends a path", []*minted{byA, expiredA}, "ca<-root A"},
		{"valid longest as a whole", []*minted{byMid, mid, byB}, "ca<-mid mid<-root A"},
		{"the first to expire counts", []*minted{byMid, short, byB}, "ca<-root B"},
		{"backtracking from what expired", []*minted{byMid, oldMid, byA, rootB}, "ca<-root A"},
		{"backtracking from a path length", []*minted{byMid, strict, byA}, "ca<-root A"},
		{"certified again", []*minted{expired, byA}, "ca<-root A"},
		{"backtracking to a root", []*minted{byMid, mid, byB, rootB}, "ca<-root B"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantChain(t, leaf, tt.given, tt.want) })
	}
}
