package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"kedge/internal/keys"
	"kedge/internal/testenv"
)

// authority signs certificates in a test.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	from time.Time // of certificates; the zero time: an hour ago
}

func (a authority) issue(t *testing.T, name string, public crypto.PublicKey, isCA bool) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: isCA, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if !a.from.IsZero() {
		template.NotBefore = a.from
	}
	if isCA {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	parent := a.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// below makes an authority; issuer is nil for a root.
func below(t *testing.T, name string, issuer *authority) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if issuer == nil {
		issuer = &authority{key: key}
	}
	return &authority{cert: issuer.issue(t, name, key.Public(), true), key: key}
}

// TestImport: certificate and issuers lie beside the key, and come back with it; a second
// certificate for the key takes the place of the first.
func TestImport(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.InitToken(t, "other")
	o := keys.Options{Library: h.Module, Helper: testenv.PKCS11Helper(t), Environment: h.Environment(), PIN: secret("1234")}
	c := creation{keys.CreateOptions{Options: o, Type: "P-256"}, "pkcs11:token=t;object=web-01"}
	key, uri := c.create(t)
	uri += "&pin-value=1234"
	o.PIN = nil
	root := below(t, "root", nil)
	middle := below(t, "middle", root)
	low := below(t, "low", middle)
	leaf := low.issue(t, "web-01", key.Public(), false)

	path := []*x509.Certificate{leaf, root.cert, middle.cert, low.cert}
	said, err := keys.Import(t.Context(), uri, path, o)
	if err != nil || !strings.Contains(said, "object=web-01;type=cert") || strings.Contains(said, "1234") {
		t.Fatalf("%s, %v", said, err)
	}
	holds(t, key, leaf, low.cert, middle.cert)
	if got := h.Tool(t, "t", "--read-object", "--type", "cert", "--label", "web-01"); !bytes.Equal(got, leaf.Raw) {
		t.Errorf("OpenSC reads %d bytes, not the %d of the certificate", len(got), len(leaf.Raw))
	}
	if all := string(h.Tool(t, "t", "--list-objects", "--type", "cert")); strings.Count(all, "Certificate Object;") != 3 {
		t.Errorf("the token has\n%s", all)
	}

	if _, err := keys.Import(t.Context(), uri, path, o); err == nil || !strings.Contains(err.Error(), "is on the token already: "+said) {
		t.Errorf("the same again: %v", err)
	}
	other := below(t, "other", nil)
	for name, certs := range map[string][]*x509.Certificate{
		"belongs to another key":                             {low.issue(t, "web-02", other.key.Public(), false)},
		"the certificate of CN=other is not one of its issu": {low.issue(t, "web-01", key.Public(), false), low.cert, below(t, "other", other).cert},
		"is not one of its issuers":                          {low.issue(t, "web-01", key.Public(), false), leaf},
	} {
		if said, err := keys.Import(t.Context(), uri, certs, o); err == nil || !strings.Contains(err.Error(), name) || said != "" {
			t.Errorf("%s: %s, %v", name, said, err)
		}
	}
	holds(t, key, leaf, low.cert, middle.cert)

	low.from = time.Now()
	renewed := low.issue(t, "web-01", key.Public(), false)
	if _, err := keys.Import(t.Context(), uri, []*x509.Certificate{renewed, low.cert, middle.cert}, o); err != nil {
		t.Fatal(err)
	}
	holds(t, key, renewed, low.cert, middle.cert)
}

// holds compares what the token has for a key.
func holds(t *testing.T, key *keys.Key, want ...*x509.Certificate) {
	t.Helper()
	got, err := key.Certificates(t.Context())
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d certificates, %v; want %d", len(got), err, len(want))
	}
	for i := range want {
		if !got[i].Equal(want[i]) {
			t.Errorf("certificate %d is of %s, not %s", i, got[i].Subject, want[i].Subject)
		}
	}
}
