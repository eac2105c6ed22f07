package hostfiles

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return key, der, err
}

// never is Generate for a key that exists already.
func never() (crypto.Signer, []byte, error) { return nil, nil, errors.New("a key was made") }

// certify makes certificates for a key, which is its own issuer.
func certify(t *testing.T, key crypto.Signer) Certificates {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Certificates{Leaf: cert, Issuers: []*x509.Certificate{cert}}
}

func pathsIn(t *testing.T, dir string) Paths {
	t.Helper()
	paths, err := In(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// writeKey writes a key as an interrupted run leaves it.
func writeKey(t *testing.T, path string) (crypto.Signer, []byte) {
	t.Helper()
	key, der, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, KeyPEM(der), 0o600); err != nil {
		t.Fatal(err)
	}
	return key, KeyPEM(der)
}

func wantKey(t *testing.T, got, want crypto.Signer) {
	t.Helper()
	if !want.Public().(*ecdsa.PublicKey).Equal(got.Public()) {
		t.Error("it is another key")
	}
}

func TestBegin(t *testing.T) {
	t.Parallel()
	paths := pathsIn(t, filepath.Join(t.TempDir(), "new"))
	p, err := Begin(t.Context(), paths, newKey)
	if err != nil {
		t.Fatal(err)
	}
	written, err := p.Write(certify(t, p), Format{FullChain: true, PKCS12: true, Password: []byte("x")})
	p.Close()
	if err != nil || p.Resumed || written != paths {
		t.Errorf("%+v, %v", written, err)
	}
	key, err := ReadKey(paths.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantKey(t, key, p)
	if _, _, _, err := pkcs12.DecodeChain(read(t, paths.PKCS12), "x"); err != nil {
		t.Error(err)
	}
	if _, err := Begin(t.Context(), paths, never); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if done, err := paths.Finished(); !done || err != nil {
		t.Error(done, err)
	}
}

// A key without a certificate is resumed, and the other files of the killed run are replaced.
func TestBegin_resumes(t *testing.T) {
	t.Parallel()
	paths := pathsIn(t, t.TempDir())
	key, _ := writeKey(t, paths.Key)
	if err := os.WriteFile(paths.Chain, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Begin(t.Context(), paths, never)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	wantKey(t, p, key)
	if err := p.Withdraw(); err != nil || !p.Resumed {
		t.Error(p.Resumed, err)
	}
	c := certify(t, p)
	written, err := p.Write(c, Format{})
	if err != nil || written.FullChain != "" || written.PKCS12 != "" || !bytes.Equal(read(t, paths.Chain), CertificatePEM(c.Issuers...)) {
		t.Errorf("%+v, %v", written, err)
	}
}

// If nothing can be issued for a key, it is not written, or removed.
func TestBegin_withdraws(t *testing.T) {
	t.Parallel()
	paths := pathsIn(t, t.TempDir())
	if _, err := Begin(t.Context(), paths, never); err == nil || err.Error() != "a key was made" {
		t.Error(err)
	}
	p, err := Begin(t.Context(), paths, newKey)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Withdraw(); err != nil {
		t.Error(err)
	}
	if all, err := os.ReadDir(filepath.Dir(paths.Key)); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

func TestReplacement(t *testing.T) {
	t.Parallel()
	paths := pathsIn(t, t.TempDir())
	if _, err := NewReplacement(paths, newKey); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	writeKey(t, paths.Key)
	if err := os.WriteFile(paths.PKCS12, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ResumeReplacement(paths); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	made, err := NewReplacement(paths, newKey)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ResumeReplacement(paths)
	if err != nil || !r.Resumed {
		t.Fatal(err)
	}
	wantKey(t, r, made)
	_, stale, err := r.Finish(certify(t, r), Format{})
	if err != nil || stale != paths.PKCS12 {
		t.Error(stale, err)
	}
	key, err := ReadKey(paths.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantKey(t, key, made)
	if _, err := os.Lstat(made.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// The key that was checked and certified is written, even if its file was replaced meanwhile.
func TestReplacement_swapped(t *testing.T) {
	t.Parallel()
	for _, resumed := range []bool{false, true} {
		paths := pathsIn(t, t.TempDir())
		writeKey(t, paths.Key)
		r, err := NewReplacement(paths, newKey)
		if err == nil && resumed {
			r, err = ResumeReplacement(paths)
		}
		if err != nil {
			t.Fatal(err)
		}
		writeKey(t, r.Path())
		if _, _, err := r.Finish(certify(t, r), Format{}); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKey(paths.Key)
		if err != nil {
			t.Fatal(err)
		}
		wantKey(t, key, r)
	}
}

// A PKCS#12 never holds a key that is not the certificate's.
func TestReplace_otherKey(t *testing.T) {
	t.Parallel()
	paths := pathsIn(t, t.TempDir())
	key, _ := writeKey(t, paths.Key)
	other, _ := writeKey(t, paths.Key+".other")
	_, _, err := Replace(paths, certify(t, key), Format{PKCS12: true}, other)
	if err == nil || !strings.Contains(err.Error(), "web.key is not the key of the certificate") {
		t.Error(err)
	}
	if there, err := paths.Finished(); there || err != nil {
		t.Error(there, err)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	if _, err := In("x", ".."); err == nil || err.Error() != `the name ".." has nothing to call files after` {
		t.Error(err)
	}
	if got := Beside("d/web.crt"); got.Key != "d/web.key" || got.Certificate != "d/web.crt" {
		t.Errorf("%+v", got)
	}
}
