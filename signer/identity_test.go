package signer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNewIdentity_rules(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	tests := []struct {
		name   string
		change func(*x509.Certificate)
		want   string
	}{
		{"a proper leaf", func(*x509.Certificate) {}, ""},
		{"CA as leaf", asCA, `certificate "CN=leaf" is a CA certificate; a session needs a leaf, with CA false`},
		{"no digitalSignature", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, `certificate "CN=leaf" lacks the key usage digitalSignature`},
		{"no key usage at all", func(c *x509.Certificate) { c.KeyUsage = 0 }, `certificate "CN=leaf" lacks the key usage digitalSignature`},
		{"empty subject", func(c *x509.Certificate) { c.Subject = pkix.Name{}; c.SerialNumber.SetInt64(1000) }, `certificate "serial 03e8" has an empty subject; sessions are keyed by it`},
		{"too large", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Value: make([]byte, maxLeafSize)}}
		}, "bytes; at most 16384 are accepted"},
		{"expired", func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) }, `certificate "CN=leaf" expired at 2026-11-01T11:59:59Z; it is 2026-11-01T12:00:00Z now`},
		{"not yet valid", func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Second) }, `certificate "CN=leaf" is not valid before 2026-11-01T12:00:01Z; it is 2026-11-01T12:00:00Z now`},
		{"expires this second", func(c *x509.Certificate) { c.NotAfter = noon }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := mint(t, "leaf", root, tt.change)
			_, err := NewIdentity(leaf.key, []*x509.Certificate{leaf.Certificate}, noon)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got  %v\nwant %v", err, tt.want)
			}
		})
	}
}

// Go can no longer sign with SHA-1 or make version 1 certificates; the check sees the
// parsed fields only.
func TestCheckLeaf_oldCertificates(t *testing.T) {
	leaf := mint(t, "leaf", nil)
	for _, old := range []x509.SignatureAlgorithm{x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.MD5WithRSA} {
		c := *leaf.Certificate
		c.SignatureAlgorithm = old
		err := checkLeaf(located{Certificate: &c, file: "web.pem"})
		if want := fmt.Sprintf(`web.pem: certificate "CN=leaf" is signed with %s; the digest must be SHA-256 or stronger`, old); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %v", err, want)
		}
	}
	c := *leaf.Certificate
	c.Version = 1
	if err := checkLeaf(located{Certificate: &c}); err == nil || !strings.Contains(err.Error(), "has X.509 version 1; it must be version 3") {
		t.Errorf("version 1: %v", err)
	}
}

func TestNewIdentity_key(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	leaf, other := mint(t, "leaf", root), mint(t, "other", root)
	_, err := NewIdentity(other.key, []*x509.Certificate{leaf.Certificate}, noon)
	if mismatch, ok := errors.AsType[*KeyMismatchError](err); !ok || mismatch.Subject != "CN=leaf" || mismatch.Key != "P-256" {
		t.Errorf("mismatch: %v", err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = NewIdentity(edKey, []*x509.Certificate{leaf.Certificate}, noon); err == nil || !strings.Contains(err.Error(), "RSA, EC and ML-DSA") {
		t.Errorf("ed25519: %v", err)
	}
	if _, err = NewIdentity(leaf.key, nil, noon); err == nil {
		t.Error("an identity without certificate")
	}
	if _, err = NewIdentity(nil, []*x509.Certificate{leaf.Certificate}, noon); err == nil || err.Error() != "there is no private key" {
		t.Errorf("no key: %v", err)
	}
}

// The certificate of a renewal with the same key lies beside the old one.
func TestNewIdentity_renewedWithSameKey(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	old := mint(t, "leaf", root, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) })
	current := mintFor(t, old.key, "leaf", root)
	next := mintFor(t, old.key, "leaf", root, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = noon.Add(time.Hour), noon.Add(48*time.Hour)
	})
	id, err := NewIdentity(old.key, []*x509.Certificate{old.Certificate, next.Certificate, current.Certificate}, noon)
	if err != nil || !id.Leaf().Equal(current.Certificate) {
		t.Errorf("took %v, %v", id, err)
	}
}

func TestNewIdentity_path(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	cas := []*minted{root}
	for i := range 6 {
		cas = append(cas, mint(t, fmt.Sprintf("ca%d", i+1), cas[i], asCA))
	}
	stranger := mint(t, "ca2", nil, asCA) // the name of another, with a key of its own
	dead := mintFor(t, cas[1].key, "ca1", root, asCA, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Hour) })
	notCA := mintFor(t, cas[1].key, "ca1", root, func(c *x509.Certificate) { c.NotAfter = noon.Add(100 * time.Hour) })
	under := func(ca *minted) *minted { return mint(t, "leaf", ca) }
	tests := []struct {
		name  string
		leaf  *minted
		given []*minted
		want  string
	}{
		{"under the root, nothing given", under(root), nil, ""},
		{"the root is left out", under(root), []*minted{root}, ""},
		{"one intermediate", under(cas[1]), []*minted{cas[1]}, "ca1"},
		{"any order, with root", under(cas[3]), []*minted{root, cas[2], cas[3], cas[1]}, "ca3 ca2 ca1"},
		{"what is not on the path is dropped", under(cas[1]), []*minted{cas[4], stranger, cas[1], cas[6]}, "ca1"},
		{"a gap ends the path", under(cas[3]), []*minted{cas[3], cas[1]}, "ca3"},
		{"same name, other key", under(cas[2]), []*minted{stranger, cas[2]}, "ca2"},
		{"the renewed one is taken", under(cas[1]), []*minted{dead, cas[1]}, "ca1"},
		{"a certificate that may not sign is no issuer", under(cas[1]), []*minted{notCA, cas[1]}, "ca1"},
		{"given twice", under(cas[2]), []*minted{cas[2], cas[1], cas[2], cas[1]}, "ca2 ca1"},
		{"five", under(cas[5]), cas, "ca5 ca4 ca3 ca2 ca1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			certs := []*x509.Certificate{}
			for _, c := range tt.given {
				certs = append(certs, c.Certificate)
			}
			id, err := NewIdentity(tt.leaf.key, append(certs, tt.leaf.Certificate), noon)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range id.Chain() {
				got = append(got, c.Subject.CommonName)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("path %v, want %v", got, tt.want)
			}
		})
	}
	leaf := under(cas[6])
	all := []*x509.Certificate{leaf.Certificate}
	for _, c := range cas {
		all = append(all, c.Certificate)
	}
	if _, err := NewIdentity(leaf.key, all, noon); err == nil || !strings.Contains(err.Error(), "needs more than 5 intermediates to reach its root; no more can be sent") {
		t.Errorf("six: %v", err)
	}
	leaf = mint(t, "leaf", dead)
	if _, err := NewIdentity(leaf.key, []*x509.Certificate{leaf.Certificate, dead.Certificate}, noon); err == nil || !strings.Contains(err.Error(), `certificate "CN=ca1" expired`) {
		t.Errorf("expired intermediate: %v", err)
	}
}

// Two CAs that certified each other must not send the search around in circles.
func TestNewIdentity_crossSignedCircle(t *testing.T) {
	a := mint(t, "a", nil, asCA)
	b := mint(t, "b", a, asCA)
	aByB := mintFor(t, a.key, "a", b, asCA)
	leaf := mint(t, "leaf", b)
	id, err := NewIdentity(leaf.key, []*x509.Certificate{aByB.Certificate, b.Certificate, leaf.Certificate}, noon)
	if err != nil || len(id.Chain()) != 2 {
		t.Errorf("chain of %d, %v", len(id.Chain()), err)
	}
}
