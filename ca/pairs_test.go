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
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// keyOf makes a key of a type that a profile can name.
func keyOf(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "RSA-2048":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "RSA-3072":
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case "RSA-4096":
		key, err = rsa.GenerateKey(rand.Reader, 4096)
	case "ML-DSA-44":
		key, err = mldsa.GenerateKey(mldsa.MLDSA44())
	case "ML-DSA-65":
		key, err = mldsa.GenerateKey(mldsa.MLDSA65())
	case "ML-DSA-87":
		key, err = mldsa.GenerateKey(mldsa.MLDSA87())
	default:
		t.Fatalf("no key type %s", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// opaque is a key store that shows nothing but crypto.Signer.
type opaque struct{ crypto.Signer }

// TestPairs issues with every type of CA key for every type of leaf key, directly and below
// one and two intermediates. The emulator gives a session for it, crypto/x509 verifies the
// path, and so do openssl and certtool where they know the algorithms.
func TestPairs(t *testing.T) {
	t.Parallel()
	c := DefaultProfileConfig()
	c.Lifetime = LifetimeConfig{Default: Duration(50 * 365 * 24 * time.Hour)}
	forever, err := NewProfile("forever", c)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{}
	for _, kind := range keyTypes() {
		keys[kind] = keyOf(t, kind)
		if got := KeyType(keys[kind].Public()); got != kind {
			t.Errorf("KeyType of %s: %s", kind, got)
		}
	}
	for _, kind := range keyTypes() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const years = 365 * 24 * time.Hour
			root := rootFor(t, opaque{keyOf(t, kind)}, 60*years)
			middle := below(t, root, opaque{keyOf(t, "P-256")}, AuthorityConfig{Subject: pkix.Name{CommonName: "Middle"}, Lifetime: 55 * years, MaxPathLen: 1})
			bottom := below(t, middle, opaque{keyOf(t, kind)}, AuthorityConfig{Subject: pkix.Name{CommonName: "Bottom"}, Lifetime: 55 * years})
			service := newService(t, root)
			for _, leafKind := range keyTypes() {
				for _, a := range []*Authority{root, middle, bottom} {
					leaf := leafOf(t, a, forever, Request{Name: "web-01", Public: keys[leafKind].Public(), DNS: []string{"web-01.example.com"}})
					verifyPath(t, a, leaf)
					service.accepts(t, a, leaf, keys[leafKind])
				}
			}
		})
	}
}

// TestPrepared_size: sizes are checked on the preview, so it must not be smaller than the issued
// certificate, for any type of key.
func TestPrepared_size(t *testing.T) {
	t.Parallel()
	for _, kind := range keyTypes() {
		prepared, err := PrepareRoot(keyOf(t, kind), rootConfig(time.Hour), noon)
		if err != nil {
			t.Fatal(err)
		}
		preview, cert := len(prepared.Certificate().Raw), len(issue(t, prepared).Raw)
		if preview < cert || preview > cert+12 {
			t.Errorf("%s: a preview of %d bytes, a certificate of %d", kind, preview, cert)
		}
	}
}

func verifyPath(t *testing.T, a *Authority, leaf *x509.Certificate) {
	t.Helper()
	verifyGo(t, a, leaf)
	path := a.path()
	post := func(c *x509.Certificate) bool { return c.PublicKeyAlgorithm == x509.MLDSA }
	if !post(leaf) && !slices.ContainsFunc(path, post) {
		verifyByPeers(t, path, leaf)
	}
}

func verifyGo(t *testing.T, a *Authority, leaf *x509.Certificate) {
	t.Helper()
	path := a.path()
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(path[len(path)-1])
	for _, c := range path[:len(path)-1] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: noon,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		t.Errorf("%s by %s: %v", leaf.PublicKeyAlgorithm, a.Certificate().Subject, err)
	}
}

func verifyByPeers(t *testing.T, path []*x509.Certificate, leaf *x509.Certificate) {
	t.Helper()
	dir := t.TempDir()
	root := path[len(path)-1]
	writePEM(t, filepath.Join(dir, "root.pem"), root)
	writePEM(t, filepath.Join(dir, "between.pem"), path[:len(path)-1]...)
	writePEM(t, filepath.Join(dir, "leaf.pem"), leaf)
	writePEM(t, filepath.Join(dir, "all.pem"), append([]*x509.Certificate{leaf}, path...)...)
	args := []string{"verify", "-x509_strict", "-purpose", "sslclient", "-check_ss_sig", "-attime", strconv.FormatInt(noon.Unix(), 10), "-CAfile", "root.pem"}
	if len(path) > 1 {
		args = append(args, "-untrusted", "between.pem")
	}
	testenv.Run(t, dir, "openssl", append(args, "leaf.pem")...)
	if time.Now().After(leaf.NotAfter) {
		return // certtool has no option for another time than now
	}
	out := testenv.Run(t, dir, "certtool", "--verify-chain", "--infile", "all.pem")
	if !bytes.Contains(out, []byte("Chain verification output: Verified")) || bytes.Contains(out, []byte("Not verified")) {
		t.Errorf("certtool: %s", out)
	}
}

func writePEM(t *testing.T, path string, certs ...*x509.Certificate) {
	t.Helper()
	var data []byte
	for _, c := range certs {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
