package pkcs11

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestGenerate makes each kind, has it sign a request that openssl verifies, and asks OpenSC
// what the key may do.
func TestGenerate(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	m := load(t, h, Options{})
	for _, keyType := range []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"} {
		k, err := m.Generate(t.Context(), parse(t, "pkcs11:token=t;object="+keyType), keyType)
		if err != nil {
			t.Errorf("%s: %v", keyType, err)
			continue
		}
		verifiesRequest(t, k)
		again := open(t, m, k.URI().String())
		if !sameKey(again.Public(), k.Public()) || k.URI().value("object") != keyType || len(k.URI().value("id")) != 8 {
			t.Errorf("%s: %s is another key", keyType, k.URI())
		}
	}
	said := string(h.Tool(t, "t", "--list-objects", "--type", "privkey"))
	if n := strings.Count(said, "Access:     sensitive, always sensitive, never extractable, local\n"); n != 6 {
		t.Errorf("%d keys cannot leave the token, says OpenSC:\n%s", n, said)
	}
}

// verifiesRequest signs a certificate request, which openssl verifies.
func verifiesRequest(t *testing.T, k *Key) {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-1"}}, k)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "csr.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Run(t, ".", "openssl", "req", "-verify", "-noout", "-in", path)
}

func TestGenerateRefuses(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	h.InitToken(t, "u")
	m := load(t, h, Options{})
	for _, c := range []struct{ uri, keyType, want string }{
		{"pkcs11:token=t;object=n", "P-224", `key type "P-224" is none of`},
		{"pkcs11:token=t;object=n", "RSA-1024", `key type "RSA-1024" is none of`},
		{"pkcs11:token=t;object=n", "", `key type "" is none of`},
		{"pkcs11:token=t", "P-256", "needs object, the label of the new key"},
		{"pkcs11:object=n", "P-256", "2 tokens match"},
		{"pkcs11:token=x;object=n", "P-256", "no token matches"},
		{"pkcs11:token=t;object=k", "P-256", `has a key or certificate with this object already`},
		{"pkcs11:token=t;object=n;id=%01", "P-256", `has a key or certificate with this id already`},
		{"pkcs11:token=t;object=n;colour=red", "P-256", "is not known"},
	} {
		if _, err := m.Generate(t.Context(), parse(t, c.uri), c.keyType); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %s", c.uri, c.keyType, err, c.want)
		}
	}
	if k, err := m.Generate(t.Context(), parse(t, "pkcs11:token=t;object=n;id=%AA%00;type=private"), "P-256"); err != nil || k.URI().value("id") != "\xaa\x00" {
		t.Errorf("with its own id: %v", err)
	}
}

func TestImportCertificate(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	m := load(t, h, Options{})
	k := open(t, m, "pkcs11:token=t;object=k")
	other, err := m.Generate(t.Context(), parse(t, "pkcs11:token=t;object=other"), "RSA-2048")
	if err != nil {
		t.Fatal(err)
	}
	leaf := selfSigned(t, "k's", k)
	if err := m.ImportCertificate(t.Context(), k.URI(), leaf); err != nil {
		t.Fatal(err)
	}
	if got := h.Tool(t, "t", "--read-object", "--type", "cert", "--id", "01"); !bytes.Equal(got, leaf.Raw) {
		t.Errorf("OpenSC reads %d bytes, not the %d of the certificate", len(got), len(leaf.Raw))
	}
	for _, c := range []struct {
		uri  string
		cert *x509.Certificate
		want string
	}{
		{k.URI().String(), leaf, "is on the token already: pkcs11:serial="},
		{k.URI().String(), selfSigned(t, "other's", other), "holds another public key"},
		{other.URI().String(), selfSigned(t, "k's", k), "holds another public key"},
		{"pkcs11:token=x", leaf, "no token matches"},
	} {
		if err := m.ImportCertificate(t.Context(), parse(t, c.uri), c.cert); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v, want %s", c.cert.Subject.CommonName, c.uri, err, c.want)
		}
	}
	// Without a label it is the subject's name.
	if err := m.ImportCertificate(t.Context(), parse(t, "pkcs11:token=t"), selfSigned(t, "a root", other)); err != nil {
		t.Fatal(err)
	}
	found, err := m.Certificates(t.Context(), parse(t, "pkcs11:object=a%20root"))
	if err != nil || len(found) != 1 || found[0].X509.Subject.CommonName != "a root" {
		t.Errorf("found %v, %v", found, err)
	}
}

// TestImportBeforePublicKey: the certificate becomes the public key of a private one that has
// none; one of another type cannot.
func TestImportBeforePublicKey(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	m := load(t, h, Options{})
	k := open(t, m, "pkcs11:token=t;object=k")
	leaf := selfSigned(t, "leaf", k)
	other, err := m.Generate(t.Context(), parse(t, "pkcs11:token=t;object=other"), "RSA-2048")
	if err != nil {
		t.Fatal(err)
	}
	foreign := selfSigned(t, "foreign", other)
	h.Tool(t, "t", "--delete-object", "--type", "pubkey", "--id", "01")
	m.Close()

	m = load(t, h, Options{})
	uri := parse(t, "pkcs11:token=t;id=%01")
	if _, err := m.Key(t.Context(), uri, nil); !errors.Is(err, ErrNoPublicKey) {
		t.Errorf("without any public key: %v", err)
	}
	if _, err := m.Key(t.Context(), uri, foreign.PublicKey); err == nil || !strings.Contains(err.Error(), "is of another type") {
		t.Errorf("with an RSA key: %v", err)
	}
	given, err := m.Key(t.Context(), uri, leaf.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signs(t, given)
	if err := m.ImportCertificate(t.Context(), uri, foreign); err == nil {
		t.Error("the certificate of an RSA key belongs to an EC key")
	}
	if err := m.ImportCertificate(t.Context(), uri, leaf); err != nil {
		t.Fatal(err)
	}
	signs(t, open(t, m, "pkcs11:token=t;id=%01"))
	if _, err := m.Key(t.Context(), uri, foreign.PublicKey); err == nil || !strings.Contains(err.Error(), "belongs to another key") {
		t.Errorf("with a public key that is not the token's: %v", err)
	}
}
