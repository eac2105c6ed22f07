package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

func caNamed(name string, length int) AuthorityConfig {
	return AuthorityConfig{Subject: pkix.Name{CommonName: name}, Lifetime: 8 * time.Hour, MaxPathLen: length}
}

// TestNew: an authority knows the path above it.
func TestNew(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 10*time.Hour)
	if len(root.Issuers()) != 0 || root.Chain() != nil {
		t.Errorf("root: %d issuers, chain %v", len(root.Issuers()), root.Chain())
	}
	one := below(t, root, newKey(t), caNamed("One", -1))
	two := below(t, one, newKey(t), caNamed("Two", 0))
	if got := names(two.Issuers()); got != "One, Test CA" {
		t.Errorf("issuers: %s", got)
	}
	if got := names(two.Chain()); got != "Two, One" {
		t.Errorf("chain: %s", got)
	}
	verifyPath(t, two, leafOf(t, two, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}))
}

func names(certs []*x509.Certificate) string {
	var list []string
	for _, c := range certs {
		list = append(list, c.Subject.CommonName)
	}
	return strings.Join(list, ", ")
}

// signed makes a certificate with x509 alone, so that it may be wrong.
func signed(t testing.TB, template *x509.Certificate, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(5), noon, noon.Add(time.Hour)
	template.BasicConstraintsValid = true
	if template.IsCA {
		template.KeyUsage |= x509.KeyUsageCRLSign
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	rootKey, key := newKey(t), newKey(t)
	root := rootFor(t, rootKey, 10*time.Hour)
	top := root.Certificate()
	middle := below(t, root, key, caNamed("Middle", 0)).Certificate()
	leafCert := leafOf(t, root, DefaultProfile(), Request{Name: "leaf", Public: key.Public()})
	impostor := newRoot(t, 10*time.Hour).Certificate()
	caTemplate := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	}
	deeper := signed(t, caTemplate("Deeper"), middle, key.Public(), key)
	noSign := &x509.Certificate{Subject: pkix.Name{CommonName: "No sign"}, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature}
	noSign = signed(t, noSign, noSign, key.Public(), key)
	ampersand := caTemplate("A & B")
	ampersand = signed(t, ampersand, ampersand, key.Public(), key)
	tests := []struct {
		name    string
		cert    *x509.Certificate
		key     crypto.Signer
		issuers []*x509.Certificate
		want    string
	}{
		{"another key", top, key, nil, `the key does not belong to the CA certificate "CN=Test CA"`},
		{"a leaf", leafCert, key, []*x509.Certificate{top}, `the certificate "CN=leaf" is not one of a CA: it needs CA true and the key usage keyCertSign`},
		{"no keyCertSign", noSign, key, nil, `the certificate "CN=No sign" is not one of a CA: it needs CA true and the key usage keyCertSign`},
		{"no root", middle, key, nil, `the certificates above "CN=Middle" end before the root: "CN=Middle" is issued by "CN=Test CA", which is missing`},
		{"above the root", top, rootKey, []*x509.Certificate{impostor}, `"CN=Test CA" is a root; there can be no issuer above it`},
		{"same name, another key", middle, key, []*x509.Certificate{impostor}, `the certificate "CN=Middle" is not issued by "CN=Test CA", or not with its key`},
		{"wrong order", deeper, key, []*x509.Certificate{top, middle}, `the certificate "CN=Deeper" breaks the rule issuer: needs a path in order: "CN=Deeper" is issued by "CN=Middle", but the next certificate is "CN=Test CA"`},
		{"path length", deeper, key, []*x509.Certificate{middle, top}, `the certificate "CN=Deeper" breaks the rule path-length: has 1 CA certificates between a leaf and "CN=Middle", whose path length allows 0`},
		{"a name that makes sessions fail", ampersand, key, nil, `the certificate "CN=A & B" breaks the rule tag-characters: `},
	}
	for _, tt := range tests {
		if _, err := New(tt.cert, tt.key, tt.issuers...); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

// TestPrepareCA_depth: five intermediates are what a host can send, and no more are made.
func TestPrepareCA_depth(t *testing.T) {
	t.Parallel()
	a := newRoot(t, 10*time.Hour)
	for i := range 5 {
		a = below(t, a, newKey(t), caNamed(fmt.Sprintf("CA %d", i+1), -1))
	}
	verifyPath(t, a, leafOf(t, a, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}))
	_, err := a.PrepareCA(newKey(t).Public(), caNamed("CA 6", -1), noon)
	if _, ok := errors.AsType[*LintError](err); !ok || !strings.HasPrefix(err.Error(), `the certificate "CN=CA 6" breaks the rule chain-length: has 6 intermediates up to its root; a host can send 5 at most`) {
		t.Error(err)
	}
}

// TestPrepareCA_pathLength: by default an intermediate gets the remaining path length, and never
// more.
func TestPrepareCA_pathLength(t *testing.T) {
	t.Parallel()
	c := rootConfig(10 * time.Hour)
	c.MaxPathLen = 2
	key := newKey(t)
	prepared, err := PrepareRoot(key, c, noon)
	if err != nil {
		t.Fatal(err)
	}
	root, err := New(issue(t, prepared), key)
	if err != nil {
		t.Fatal(err)
	}
	one := below(t, root, newKey(t), caNamed("One", -1))
	two := below(t, one, newKey(t), caNamed("Two", -1))
	if l := one.Certificate().MaxPathLen; l != 1 {
		t.Errorf("One: %d", l)
	}
	if c := two.Certificate(); c.MaxPathLen != 0 || !c.MaxPathLenZero {
		t.Errorf("Two: %d", c.MaxPathLen)
	}
	for _, tt := range []struct {
		a      *Authority
		length int
		want   string
	}{
		{root, 2, `the path length 2 is more than the CA "CN=Test CA" leaves: 1 at most`},
		{two, 0, `the path length of "CN=Two" or of a CA above it allows no further CA below`},
		{two, -1, `the path length of "CN=Two" or of a CA above it allows no further CA below`},
		{newRoot(t, time.Hour), -2, `the path length -2 is negative; -1 sets no limit`},
	} {
		if _, err := tt.a.PrepareCA(newKey(t).Public(), caNamed("Next", tt.length), noon); err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

func TestPrepareCA_refuses(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 10*time.Hour)
	tests := []struct {
		change func(*AuthorityConfig)
		want   string
	}{
		{func(c *AuthorityConfig) { c.Lifetime = 0 }, "the lifetime of the CA must be a second or longer, not 0s"},
		{func(c *AuthorityConfig) { c.Subject = pkix.Name{Organization: []string{"Example"}} }, "the name of the CA must not be empty"},
		{func(c *AuthorityConfig) { c.Subject.CommonName = "Test CA" }, `the subject "CN=Test CA" is that of a CA above it; give another name`},
		{func(c *AuthorityConfig) { c.CRLURLs = []string{"file:///crl"} }, `the CRL address "file:///crl" is not an http or https URL`},
		{func(c *AuthorityConfig) { c.AllowWarnings = []string{"x"} }, `there is no lint rule "x"`},
		{func(c *AuthorityConfig) { c.Subject.CommonName = "A & B" }, `the certificate "CN=A & B" breaks the rule tag-characters: makes the tag x509Issuer/CN of "A & B", and session tags cannot hold '&'; take letters, digits, spaces and _.:/=+-@`},
	}
	for _, tt := range tests {
		c := caNamed("Middle", 0)
		tt.change(&c)
		if _, err := root.PrepareCA(newKey(t).Public(), c, noon); err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	if _, err := root.PrepareCA(root.Certificate().PublicKey, caNamed("Middle", 0), noon); err == nil || err.Error() != `the key for "CN=Middle" is the key of the CA "CN=Test CA" itself` {
		t.Error(err)
	}
	if _, err := root.PrepareCA(newKey(t).Public(), caNamed("Middle", 0), noon.Add(11*time.Hour)); err == nil || !strings.HasPrefix(err.Error(), `the CA certificate "CN=Test CA" is valid from `) {
		t.Error(err)
	}
}

// TestPrepare_distinct: nothing has the name or the key of any CA above it.
func TestPrepare_distinct(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 10*time.Hour)
	middle := below(t, root, newKey(t), caNamed("Middle", -1))
	for want, try := range map[string]func() (*Prepared, error){
		`the subject "CN=Test CA" is that of a CA above it; give another name`: func() (*Prepared, error) {
			return middle.PrepareCA(newKey(t).Public(), caNamed("Test CA", 0), noon)
		},
		`the key for "CN=Bottom" is the key of the CA "CN=Test CA" itself`: func() (*Prepared, error) {
			return middle.PrepareCA(root.Certificate().PublicKey, caNamed("Bottom", 0), noon)
		},
		`the key for "CN=web-01" is the key of the CA "CN=Test CA" itself`: func() (*Prepared, error) {
			return middle.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: root.Certificate().PublicKey}, noon)
		},
	} {
		if _, err := try(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestAuthority_ends: a leaf expires no later than any certificate above it, and below an expired
// issuer nothing is issued.
func TestAuthority_ends(t *testing.T) {
	t.Parallel()
	rootKey, key := newKey(t), newKey(t)
	root := rootFor(t, rootKey, 10*time.Hour)
	long := signed(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Middle"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, root.Certificate(), key.Public(), rootKey)
	// An intermediate of another program may outlive its issuer.
	long = resigned(t, long, root.Certificate(), rootKey, noon.Add(100*time.Hour))
	a, err := New(long, key, root.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	c := leafOf(t, a, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()})
	if !c.NotAfter.Equal(root.Certificate().NotAfter) || !c.NotBefore.Equal(noon) {
		t.Errorf("%v to %v", c.NotBefore, c.NotAfter)
	}
	_, err = a.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}, noon.Add(11*time.Hour))
	if v, ok := errors.AsType[*ValidityError](err); !ok || v.Subject != "CN=Test CA" {
		t.Error(err)
	}
}

func resigned(t *testing.T, c, parent *x509.Certificate, key crypto.Signer, notAfter time.Time) *x509.Certificate {
	t.Helper()
	template := *c
	template.NotAfter = notAfter
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, c.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}
