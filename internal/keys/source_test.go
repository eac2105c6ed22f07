package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
	"kedge/pkcs11"
	"kedge/signer"
	"kedge/tpm"
)

// authority issues the certificates of a test.
type authority struct {
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, cert: &x509.Certificate{Subject: pkix.Name{CommonName: "root"}}}
	a.cert = a.sign(t, key.Public(), "issuing", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	return a
}

// issue makes a leaf that is valid for a day before and after now.
func (a *authority) issue(t *testing.T, public crypto.PublicKey, name string) *x509.Certificate {
	t.Helper()
	return a.sign(t, public, name, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })
}

func (a *authority) sign(t *testing.T, public crypto.PublicKey, name string, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24*time.Hour + time.Duration(a.serial)*time.Minute),
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func pemOf(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// newSource returns a source that is closed at the end of the test.
func newSource(t *testing.T, p Pair) *Source {
	t.Helper()
	if p.Files.Now == nil {
		p.Files.Now = time.Now
	}
	s, err := NewSource(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// expect checks whose identity it is, that its key signs, and what Err returns.
func (s *Source) expect(t *testing.T, step, name, reason string) *signer.Identity {
	t.Helper()
	id, err := s.Identity(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	if got := id.Leaf().Subject.CommonName; got != name {
		t.Errorf("%s: identity %q, want %q", step, got, name)
	}
	if err := s.Err(); reason == "" && err != nil || reason != "" && (err == nil || !strings.Contains(err.Error(), reason)) {
		t.Errorf("%s: Err() = %v, want %q", step, err, reason)
	}
	proves(t, step, id)
	return id
}

func proves(t *testing.T, step string, id *signer.Identity) {
	t.Helper()
	message := []byte(step)
	signature, err := crypto.SignMessage(id.Signer(), rand.Reader, message, crypto.SHA256)
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	digest := sha256.Sum256(message)
	if !ecdsa.VerifyASN1(id.Leaf().PublicKey.(*ecdsa.PublicKey), digest[:], signature) {
		t.Errorf("%s: the signature does not verify", step)
	}
}

func publicOf(t *testing.T, uri string, o Options) crypto.PublicKey {
	t.Helper()
	return open(t, uri, o).Public()
}

func TestSource_tpm(t *testing.T) {
	server := testenv.Swtpm(t)
	a := newAuthority(t)
	dir := t.TempDir()
	keyPath, certPath := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	o := Options{Device: server.Device}
	first, second := create(t, server, tpm.CreateOptions{}), create(t, server, tpm.CreateOptions{})
	put(t, keyPath, first)
	firstCert := a.issue(t, publicOf(t, keyPath, o), "first")
	put(t, certPath, pemOf(firstCert))
	for _, uri := range []string{"", "tpm:file=" + keyPath} {
		put(t, keyPath, first)
		put(t, certPath, pemOf(firstCert))
		pair := Pair{Key: uri, Files: signer.Files{Certificate: signer.File(certPath)}, Options: o}
		if uri == "" {
			pair.Files.PrivateKey = signer.File(keyPath)
		}
		s := newSource(t, pair)
		id := s.expect(t, "at first", "first", "")
		put(t, keyPath, second)
		s.expect(t, "new key, old certificate", "first", "does not belong to the certificate")
		put(t, certPath, pemOf(a.issue(t, publicOf(t, keyPath, o), "second")))
		s.expect(t, "both new", "second", "")
		proves(t, "the identity that was given before", id)
		os.Remove(certPath)
		s.expect(t, "certificate gone", "second", "no such file")
	}
}

// TestSource_tpmSwapped: a key and its certificate are of one version of their folder.
func TestSource_tpmSwapped(t *testing.T) {
	server := testenv.Swtpm(t)
	a := newAuthority(t)
	dir := t.TempDir()
	o := Options{Device: server.Device}
	for _, version := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		key := filepath.Join(dir, version, "key.pem")
		put(t, key, create(t, server, tpm.CreateOptions{}))
		put(t, filepath.Join(dir, version, "cert.pem"), pemOf(a.issue(t, publicOf(t, key, o), version)))
	}
	now := filepath.Join(dir, "now")
	link := func(version string) {
		if err := errors.Join(os.Symlink(version, now+".new"), os.Rename(now+".new", now)); err != nil {
			t.Error(err)
		}
	}
	keyPath := filepath.Join(now, "key.pem")
	for _, uri := range []string{"", "tpm:file=" + keyPath} {
		link("one")
		pair := Pair{Key: uri, Files: signer.Files{Certificate: signer.File(filepath.Join(now, "cert.pem"))}, Options: o}
		if uri == "" {
			pair.Files.PrivateKey = signer.File(keyPath)
		}
		pair.Meanwhile = func() error {
			link("two")
			return nil
		}
		s := newSource(t, pair)
		s.expect(t, "at first", "one", "")
		s.expect(t, "once the link was swapped", "two", "")
	}
}

func TestSource_token(t *testing.T) {
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "one")
	hsm.Generate(t, "one", "EC:prime256v1", "01", "host")
	asked := 0
	o := Options{Library: hsm.Module, Helper: testenv.PKCS11Helper(t), Environment: hsm.Environment(), PIN: func() ([]byte, error) {
		asked++
		return []byte("1234"), nil
	}}
	a := newAuthority(t)
	const uri = "pkcs11:token=one;id=%01"
	public := publicOf(t, uri, o)
	store := func(cert *x509.Certificate, id, label string) {
		hsm.Tool(t, "one", "--write-object", write(t, "cert.der", cert.Raw), "--type", "cert", "--id", id, "--label", label)
	}

	if _, err := NewSource(t.Context(), Pair{Key: uri, Certificate: uri, Options: o, Files: signer.Files{Now: time.Now}}); !isA[*pkcs11.NotFoundError](err) {
		t.Errorf("no certificate: %v", err)
	}
	store(a.issue(t, public, "first"), "01", "first-cert")
	store(a.cert, "77", "the issuer")
	asked = 0
	s := newSource(t, Pair{Key: uri, Certificate: uri, Options: o})
	if chain := s.expect(t, "at first", "first", "").Chain(); len(chain) != 1 || !chain[0].Equal(a.cert) {
		t.Errorf("chain %v", chain)
	}
	const cert = "pkcs11:token=one;object=first-cert;type=cert"
	apart := newSource(t, Pair{Key: uri, Certificate: cert, Options: o})
	if chain := apart.expect(t, "by its own URI", "first", "").Chain(); len(chain) != 1 {
		t.Errorf("chain %v", chain)
	}
	if asked != 2 {
		t.Errorf("the PIN was asked for %d times, want once for each source", asked)
	}
	if _, err := NewSource(t.Context(), Pair{Key: uri, Certificate: "pkcs11:object=nothing", Options: o, Files: signer.Files{Now: time.Now}}); !isA[*pkcs11.NotFoundError](err) {
		t.Errorf("no such certificate: %v", err)
	}

	renewed := a.sign(t, public, "renewed", func(c *x509.Certificate) {
		c.KeyUsage, c.NotBefore = x509.KeyUsageDigitalSignature, time.Now().Add(-time.Hour)
	})
	store(renewed, "01", "renewed-cert")
	s.expect(t, "renewed on the token", "renewed", "")
	apart.expect(t, "another one is named", "first", "")
}

// TestSource_tokenKeyWithoutPublic: the public key comes from the certificate's file, also after a
// renewal with a new key, and selects the key on the token.
func TestSource_tokenKeyWithoutPublic(t *testing.T) {
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "one")
	hsm.Generate(t, "one", "EC:prime256v1", "01", "host")
	o := Options{Library: hsm.Module, Helper: testenv.PKCS11Helper(t), Environment: hsm.Environment(), PIN: fixed("1234")}
	a := newAuthority(t)
	const uri = "pkcs11:object=host"
	certPath := write(t, "cert.pem", pemOf(a.issue(t, publicOf(t, uri, o), "first")))
	hsm.Tool(t, "one", "--delete-object", "--type", "pubkey", "--id", "01")
	s := newSource(t, Pair{Key: uri, Options: o, Files: signer.Files{Certificate: signer.File(certPath)}})
	s.expect(t, "at first", "first", "")

	hsm.Tool(t, "one", "--delete-object", "--type", "privkey", "--id", "01")
	hsm.Generate(t, "one", "EC:prime256v1", "02", "host")
	put(t, certPath, pemOf(a.issue(t, publicOf(t, uri, o), "second")))
	s.expect(t, "another key", "second", "")
}

// TestSource_refusedOnce: a wrong auth value is not tried again while nothing changes.
func TestSource_refusedOnce(t *testing.T) {
	server := testenv.Swtpm(t)
	a := newAuthority(t)
	dir := t.TempDir()
	keyPath, certPath := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	put(t, keyPath, create(t, server, tpm.CreateOptions{}))
	put(t, certPath, pemOf(a.issue(t, publicOf(t, keyPath, Options{Device: server.Device}), "first")))
	asked := 0
	source := func(string, string) ([]byte, error) {
		asked++
		return []byte("owner"), nil
	}
	server.Run(t, dir, "tpm2_changeauth", "-c", "o", "owner")
	s := newSource(t, Pair{
		Key: "tpm:file=" + keyPath + "?owner-auth-source=env:O", Files: signer.Files{Certificate: signer.File(certPath)},
		Options: Options{Device: server.Device, Source: source},
	})
	s.expect(t, "at first", "first", "")
	server.Run(t, dir, "tpm2_changeauth", "-c", "o", "-p", "owner", "changed")
	put(t, keyPath, append(create(t, server, tpm.CreateOptions{OwnerAuth: fixed("changed")}), '\n'))
	asked = 0
	for range 3 {
		s.expect(t, "wrong auth value", "first", "refused the auth value of the owner")
	}
	if asked != 1 {
		t.Errorf("the auth value was got %d times, want once", asked)
	}
}

func TestSource_canceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := newAuthority(t)
	path := write(t, "cert.pem", pemOf(a.cert))
	server := testenv.Swtpm(t)
	_, err := NewSource(ctx, Pair{Key: "handle:0x81000001", Files: signer.Files{Certificate: signer.File(path), Now: time.Now}, Options: Options{Device: server.Device}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestSource_meanwhile: Meanwhile is called once, before a PIN is asked for.
func TestSource_meanwhile(t *testing.T) {
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "one")
	hsm.Generate(t, "one", "EC:prime256v1", "01", "host")
	const uri = "pkcs11:token=one;id=%01"
	var order []string
	o := Options{Library: hsm.Module, Helper: testenv.PKCS11Helper(t), Environment: hsm.Environment(), PIN: func() ([]byte, error) {
		order = append(order, "PIN")
		return []byte("1234"), nil
	}}
	certificate := signer.Bytes("cert.pem", pemOf(newAuthority(t).issue(t, publicOf(t, uri, o), "host")))
	order = nil
	broken := errors.New("broken")
	pair := Pair{Key: uri, Options: o, Files: signer.Files{Certificate: certificate, Now: time.Now}}
	pair.Meanwhile = func() error {
		order = append(order, "meanwhile")
		return broken
	}
	if _, err := NewSource(t.Context(), pair); !errors.Is(err, broken) || strings.Join(order, " ") != "meanwhile" {
		t.Errorf("%v: %v", order, err)
	}
	broken, order = nil, nil
	s, err := NewSource(t.Context(), pair)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		if _, err := s.Identity(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if strings.Join(order, " ") != "meanwhile PIN" {
		t.Error(order)
	}
}
