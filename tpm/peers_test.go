package tpm_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kedge/internal/testenv"
	"kedge/tpm"
)

// openssl makes a TSS2 key with tpm2-openssl, and returns the file.
func openssl(t testing.TB, s *testenv.SwtpmServer, algorithm string, options ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	args := []string{"genpkey", "-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2", "-algorithm", algorithm, "-out", "key.pem"}
	for _, o := range options {
		args = append(args, "-pkeyopt", o)
	}
	s.Run(t, dir, "openssl", args...)
	return read(t, dir, "key.pem")
}

// tools makes a key with tpm2_create below a primary key, and returns it as tpm2_encodeobject
// writes it. primary and create are further arguments of tpm2_createprimary and tpm2_create.
func tools(t testing.TB, s *testenv.SwtpmServer, primary, create []string) []byte {
	t.Helper()
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_createprimary", append([]string{"-Q", "-c", "parent.ctx"}, primary...)...)
	s.Run(t, dir, "tpm2_create", append([]string{"-Q", "-C", "parent.ctx", "-u", "key.pub", "-r", "key.priv"}, create...)...)
	encode := []string{"-C", "parent.ctx", "-u", "key.pub", "-r", "key.priv", "-o", "key.pem"}
	if !slices.Contains(create, "-p") {
		// As of tpm2-tools 5.4, -p says emptyAuth, and is documented as its opposite.
		encode = append(encode, "-p")
	}
	s.Run(t, dir, "tpm2_encodeobject", encode...)
	return read(t, dir, "key.pem")
}

// persist makes a key with tpm2_create and stores it under a persistent handle.
func persist(t testing.TB, s *testenv.SwtpmServer, handle uint32, create ...string) uint32 {
	t.Helper()
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "parent.ctx")
	s.Run(t, dir, "tpm2_create", append([]string{"-Q", "-C", "parent.ctx", "-c", "key.ctx"}, create...)...)
	s.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "key.ctx", fmt.Sprintf("0x%x", handle))
	return handle
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// secret is an auth value as Config takes it.
func secret(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }

// open opens a key that is closed at the end of the test.
func open(t testing.TB, c tpm.Config) *tpm.Key {
	t.Helper()
	key, err := tpm.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { key.Close() })
	return key
}

// check signs a digest and verifies the signature with the standard library.
func check(t testing.TB, key crypto.Signer, hash crypto.Hash) {
	t.Helper()
	if err := trySign(key, hash); err != nil {
		t.Error(err)
	}
}

func trySign(key crypto.Signer, hash crypto.Hash) error {
	var digest []byte
	switch hash {
	case crypto.SHA256:
		d := sha256.Sum256([]byte("to be signed"))
		digest = d[:]
	case crypto.SHA384:
		d := sha512.Sum384([]byte("to be signed"))
		digest = d[:]
	}
	signature, err := key.Sign(nil, digest, hash)
	if err != nil {
		return err
	}
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(public, digest, signature) {
			return fmt.Errorf("wrong signature")
		}
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, hash, digest, signature)
	default:
		return fmt.Errorf("public key of type %T", public)
	}
	return nil
}
