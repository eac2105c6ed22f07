package pkcs11

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// issue makes a certificate for the public key, from day to day+30; a CA's where ca is true.
func issue(t *testing.T, name string, day int, ca bool, public crypto.PublicKey, issuer *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: start, NotAfter: start.AddDate(0, 0, 30),
		BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ca {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// selfSigned makes a certificate with which a token's key signs itself.
func selfSigned(t *testing.T, name string, k *Key) *x509.Certificate {
	t.Helper()
	return issue(t, name, 1, true, k.Public(), nil, k)
}

// TestCertificateAndChain: of a token full of certificates the key's newest one and its issuers,
// and nothing else.
func TestCertificateAndChain(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	h.Generate(t, "t", "EC:prime256v1", "02", "root")
	h.Generate(t, "t", "EC:prime256v1", "03", "intermediate")
	h.Generate(t, "t", "EC:prime256v1", "04", "stranger")
	m := load(t, h, Options{})
	k, rootKey := open(t, m, "pkcs11:object=k"), open(t, m, "pkcs11:object=root")
	interKey, strangerKey := open(t, m, "pkcs11:object=intermediate"), open(t, m, "pkcs11:object=stranger")

	if _, err := k.Certificate(t.Context()); !errors.As(err, new(*NotFoundError)) {
		t.Errorf("without certificate: %v", err)
	}
	root := issue(t, "Root", 1, true, rootKey.Public(), nil, rootKey)
	short := issue(t, "Intermediate", 1, true, interKey.Public(), root, rootKey)
	long := issue(t, "Intermediate", 5, true, interKey.Public(), root, rootKey)
	impostor := issue(t, "Intermediate", 9, true, strangerKey.Public(), nil, strangerKey) // same name, other key
	old := issue(t, "Leaf", 2, false, k.Public(), long, interKey)
	leaf := issue(t, "Leaf", 3, false, k.Public(), long, interKey)
	put := func(uri string, cert *x509.Certificate) {
		t.Helper()
		if err := m.ImportCertificate(t.Context(), parse(t, uri), cert); err != nil {
			t.Fatal(err)
		}
	}
	put("pkcs11:id=%01;object=old", old)
	put("pkcs11:object=elsewhere", leaf) // neither id nor label of the key
	put("pkcs11:object=impostor", impostor)
	put("pkcs11:object=root", root)
	put("pkcs11:object=short", short)
	put("pkcs11:object=long", long)

	got, err := k.Certificate(t.Context())
	if err != nil || !got.Equal(leaf) {
		t.Fatalf("the certificate is %v, %v", got, err)
	}
	chain, err := k.Chain(t.Context(), got)
	if err != nil || len(chain) != 2 || !chain[0].Equal(long) || !chain[1].Equal(root) {
		t.Errorf("the chain is %v, %v", names(chain), err)
	}
	if chain, err := k.Chain(t.Context(), root); err != nil || len(chain) != 0 {
		t.Errorf("the root's chain is %v, %v", names(chain), err)
	}
	if chain, err := k.Chain(t.Context(), impostor); err != nil || len(chain) != 0 {
		t.Errorf("the stranger's chain is %v, %v", names(chain), err)
	}
	// By the URI of its certificate a key is found too, whatever its own label.
	if found := open(t, m, "pkcs11:object=old;type=cert"); !sameKey(found.Public(), k.Public()) {
		t.Errorf("the certificate leads to %s", found.URI())
	}
}

// TestCrossSigned: two authorities that signed each other do not make an endless chain.
func TestCrossSigned(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	h.Generate(t, "t", "EC:prime256v1", "02", "a")
	h.Generate(t, "t", "EC:prime256v1", "03", "b")
	m := load(t, h, Options{})
	k, a, b := open(t, m, "pkcs11:object=k"), open(t, m, "pkcs11:object=a"), open(t, m, "pkcs11:object=b")
	rootA, rootB := issue(t, "A", 1, true, a.Public(), nil, a), issue(t, "B", 1, true, b.Public(), nil, b)
	for _, cert := range []*x509.Certificate{issue(t, "A", 2, true, a.Public(), rootB, b), issue(t, "B", 2, true, b.Public(), rootA, a)} {
		if err := m.ImportCertificate(t.Context(), parse(t, "pkcs11:token=t"), cert); err != nil {
			t.Fatal(err)
		}
	}
	chain, err := k.Chain(t.Context(), issue(t, "Leaf", 1, false, k.Public(), rootA, a))
	if err != nil || len(chain) != 2 || chain[0].Subject.CommonName != "A" || chain[1].Subject.CommonName != "B" {
		t.Errorf("the chain is %v, %v", names(chain), err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	h.InitToken(t, "u")
	m := load(t, h, Options{})
	k := open(t, m, "pkcs11:token=t;object=k")
	for uri, name := range map[string]string{"pkcs11:token=t;id=%01;object=k": "one", "pkcs11:token=u;id=%01%02;object=k": "two"} {
		if err := m.ImportCertificate(t.Context(), parse(t, uri), selfSigned(t, name, k)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ uri, want string }{
		{"pkcs11:", "one two"},
		{"pkcs11:token=u", "two"},
		{"pkcs11:id=%01", "one"},
		{"pkcs11:object=k;type=cert", "one two"},
		{"pkcs11:object=x", ""},
		{"pkcs11:type=private", "is not a certificate's"},
		{"pkcs11:token=x", "no token matches pkcs11:token=x; there is:\n  pkcs11:serial="},
	} {
		found, err := m.Certificates(t.Context(), parse(t, c.uri))
		got := strings.Join(sortedNames(found), " ")
		if err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s, %v; want %s", c.uri, got, err, c.want)
		}
		for _, one := range found {
			again, err := m.Certificates(t.Context(), one.URI)
			if err != nil || len(again) != 1 || !again[0].X509.Equal(one.X509) {
				t.Errorf("%s means %d certificates, %v", one.URI, len(again), err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Certificates(ctx, URI{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}

// TestMalformedCertificate: one that cannot be parsed does not hide the others.
func TestMalformedCertificate(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	m := load(t, h, Options{})
	k := open(t, m, "pkcs11:token=t;object=k")
	good := selfSigned(t, "good", k)
	bad := *good
	bad.Raw = good.Raw[:len(good.Raw)-1]
	for _, cert := range []*x509.Certificate{&bad, good} {
		if err := m.ImportCertificate(t.Context(), k.URI(), cert); err != nil {
			t.Fatal(err)
		}
	}
	found, err := m.Certificates(t.Context(), URI{})
	if err != nil || len(found) != 2 {
		t.Fatalf("found %d, %v", len(found), err)
	}
	for _, c := range found {
		if (c.X509 == nil) == (c.Error == nil) || c.Error != nil && !strings.Contains(c.Error.Error(), c.URI.String()) {
			t.Errorf("%v, %v", c.X509, c.Error)
		}
	}
	if got, err := k.Certificate(t.Context()); err != nil || !got.Equal(good) {
		t.Errorf("the certificate is %v, %v", got, err)
	}
}

// TestDefaultModule: p11-kit-proxy stands for SoftHSM, as Debian configures it.
func TestDefaultModule(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	if _, err := findModule(defaultModule, moduleDirs()); err != nil {
		testenv.Missing(t, "p11-kit", err.Error())
	}
	u := parse(t, "pkcs11:token=t;object=k?pin-value=1234")
	m, err := Load(t.Context(), u, Options{Helper: testenv.PKCS11Helper(t), Environment: h.Environment()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !strings.HasSuffix(m.Path(), "/p11-kit-proxy.so") {
		t.Errorf("the module is %s", m.Path())
	}
	if said, err := m.Library(t.Context()); err != nil || !strings.Contains(said, "PKCS#11 Kit") {
		t.Errorf("the library is %s, %v", said, err)
	}
	k, err := m.Key(t.Context(), u, nil)
	if err != nil {
		t.Fatal(err)
	}
	signs(t, k)
}

func names(certs []*x509.Certificate) []string {
	var names []string
	for _, c := range certs {
		names = append(names, c.Subject.CommonName)
	}
	return names
}

func sortedNames(found []Certificate) []string {
	var names []string
	for _, c := range found {
		names = append(names, c.X509.Subject.CommonName)
	}
	slices.Sort(names)
	return names
}
