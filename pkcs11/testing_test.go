package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"kedge/internal/testenv"
)

// parse is ParseURI of what is right.
func parse(t testing.TB, s string) URI {
	t.Helper()
	u, err := ParseURI(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return u
}

// load loads SoftHSM, or what o.Module says, with the PIN of its tokens.
func load(t testing.TB, h *testenv.SoftHSM, o Options) *Module {
	t.Helper()
	o.Helper = testenv.PKCS11Helper(t)
	if o.Module == "" {
		o.Module = h.Module
	}
	if o.PIN == nil {
		o.PIN = func(PINInfo) ([]byte, error) { return []byte("1234"), nil }
	}
	if o.Environment == nil {
		o.Environment = h.Environment()
	}
	m, err := Load(t.Context(), URI{}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// open returns the one key that the URI means.
func open(t testing.TB, m *Module, uri string) *Key {
	t.Helper()
	k, err := m.Key(t.Context(), parse(t, uri), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signs makes a signature and verifies it.
func signs(t testing.TB, k crypto.Signer) {
	t.Helper()
	if err := signOnce(k); err != nil {
		t.Error(err)
	}
}

func signOnce(k crypto.Signer) error {
	digest := make([]byte, sha256.Size)
	rand.Read(digest)
	signature, err := k.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		return err
	}
	switch public := k.Public().(type) {
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(public, digest, signature) {
			return nil
		}
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature)
	}
	return rsa.ErrVerification
}
