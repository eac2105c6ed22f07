package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRoot(t testing.TB, lifetime time.Duration) *Authority {
	t.Helper()
	root, err := NewRoot(newKey(t), "Test CA", lifetime, noon)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestNewRoot(t *testing.T) {
	c := newRoot(t, time.Hour).Certificate()
	if !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign ||
		c.Version != 3 || c.Subject.CommonName != "Test CA" || len(c.SubjectKeyId) == 0 {
		t.Errorf("root: %+v", c)
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		t.Error(err)
	}
}

func TestIssue(t *testing.T) {
	root := newRoot(t, 10*time.Hour)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mlKey, err := mldsa.GenerateKey(mldsa.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{newKey(t), rsaKey, mlKey} {
		c, err := root.Issue(Request{CommonName: "web-01", Public: key.Public(), Lifetime: time.Hour}, noon)
		if err != nil {
			t.Fatal(err)
		}
		if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || c.Version != 3 || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
			t.Errorf("leaf: %+v", c)
		}
		if !bytes.Equal(c.AuthorityKeyId, root.Certificate().SubjectKeyId) || c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() > 129 {
			t.Errorf("AKI %x, serial %v", c.AuthorityKeyId, c.SerialNumber)
		}
		if !c.NotBefore.Equal(noon.Add(-5*time.Minute)) || !c.NotAfter.Equal(noon.Add(time.Hour)) {
			t.Errorf("valid %v to %v", c.NotBefore, c.NotAfter)
		}
	}
}

// openssl's own idea of a purpose and a path must agree.
func TestIssue_openssl(t *testing.T) {
	root, err := NewRoot(newKey(t), "Test CA", time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := root.Issue(Request{CommonName: "web-01", Public: newKey(t).Public(), Lifetime: time.Hour}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]*x509.Certificate{"ca.pem": root.Certificate(), "leaf.pem": leaf} {
		data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	testenv.Run(t, dir, "openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "ca.pem", "leaf.pem")
}

func TestIssue_neverOutlivesTheCA(t *testing.T) {
	root := newRoot(t, time.Hour)
	c, err := root.Issue(Request{CommonName: "x", Public: newKey(t).Public(), Lifetime: 24 * time.Hour}, noon)
	if err != nil || !c.NotAfter.Equal(root.Certificate().NotAfter) || c.NotBefore.Before(root.Certificate().NotBefore) {
		t.Errorf("%v to %v, %v", c.NotBefore, c.NotAfter, err)
	}
	for _, at := range []time.Time{noon.Add(-time.Hour), noon.Add(2 * time.Hour)} {
		_, err := root.Issue(Request{CommonName: "x", Public: newKey(t).Public(), Lifetime: time.Hour}, at)
		want := `the CA certificate "CN=Test CA" is valid from 2026-11-01T11:55:00Z to 2026-11-01T13:00:00Z; it is ` + at.Format(time.RFC3339) + " now"
		if _, ok := errors.AsType[*ValidityError](err); !ok || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestIssue_refusesNames(t *testing.T) {
	root := newRoot(t, time.Hour)
	tests := []struct{ name, want string }{
		{"web-01.example.com", ""},
		{"Büro Zürich 3", ""},
		{"spiffe://example.org/a@b+c=d_e", ""},
		{strings.Repeat("n", 64), ""},
		{"", "the name must not be empty: sessions are keyed by it"},
		{"  ", "the name must not be empty: sessions are keyed by it"},
		{strings.Repeat("n", 65), "has 65 characters; a common name takes at most 64"},
		{"Smith & Sons", `the name "Smith & Sons" holds '&', which session tags cannot carry`},
		{"web(1)", `holds '('`},
		{"a\nb", `holds '\n'`},
		{"bad\xff", "holds '\uFFFD'"},
	}
	for _, tt := range tests {
		_, err := root.Issue(Request{CommonName: tt.name, Public: newKey(t).Public(), Lifetime: time.Minute}, noon)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%q: %v", tt.name, err)
			}
			continue
		}
		if _, ok := errors.AsType[*RuleError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestNew_refuses(t *testing.T) {
	root := newRoot(t, time.Hour)
	if _, err := New(root.Certificate(), newKey(t)); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("another key: %v", err)
	}
	key := newKey(t)
	leaf, err := root.Issue(Request{CommonName: "leaf", Public: key.Public(), Lifetime: time.Minute}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(leaf, key); err == nil || !strings.Contains(err.Error(), "is not one of a CA") {
		t.Errorf("a leaf: %v", err)
	}
}
