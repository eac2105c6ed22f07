package keyfile_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"os"
	"testing"

	"kedge/internal/testenv/pairs"
	"kedge/signer/keyfile"
)

// TestParseEveryContainer reads what openssl and crypto/x509 made, in every container, and
// compares the key with the maker's word for it.
func TestParseEveryContainer(t *testing.T) {
	t.Parallel()
	for _, pair := range pairs.All(t) {
		t.Run(pair.Name, func(t *testing.T) {
			t.Parallel()
			checkPair(t, pair)
		})
	}
}

func checkPair(t *testing.T, pair pairs.Pair) {
	t.Helper()
	keyFile := pair.KeyFile
	if keyFile == "" {
		keyFile = pair.CertFile
	}
	keyData := readFile(t, keyFile)
	asked := 0
	password := func() ([]byte, error) { asked++; return []byte(pairs.Password), nil }
	key, err := keyfile.ParsePrivateKey(keyData, password)
	if err != nil {
		t.Fatal(err)
	}
	checkPublic(t, key.Public(), pair.Public)
	if want := map[bool]int{true: 1}[pair.Encrypted]; asked != want {
		t.Errorf("asked for the password %d times, want %d", asked, want)
	}
	certs, err := keyfile.ParseCertificates(readFile(t, pair.CertFile), password)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(leafOf(certs).RawSubjectPublicKeyInfo, pair.Public) {
		t.Error("the leaf has another key")
	}
	if pair.Encrypted {
		checkPasswords(t, keyData)
	}
}

func checkPasswords(t *testing.T, data []byte) {
	t.Helper()
	if _, err := keyfile.ParsePrivateKey(data, nil); !errors.Is(err, keyfile.ErrPasswordRequired) {
		t.Errorf("without a password: %v", err)
	}
	wrong := func() ([]byte, error) { return []byte("wrong"), nil }
	if _, err := keyfile.ParsePrivateKey(data, wrong); !errors.Is(err, keyfile.ErrWrongPassword) {
		t.Errorf("with a wrong password: %v", err)
	}
}

func checkPublic(t *testing.T, got crypto.PublicKey, want []byte) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(der, want) {
		t.Error("another public key")
	}
}

// leafOf finds the certificate that is no CA.
func leafOf(certs []*x509.Certificate) *x509.Certificate {
	for _, cert := range certs {
		if !cert.IsCA {
			return cert
		}
	}
	return &x509.Certificate{}
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
