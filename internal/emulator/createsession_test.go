package emulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"
)

// A client behind a proxy sends the whole URL (RFC 9112 3.2.2).
func TestCreateSession_absoluteForm(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	c := w.craft().sign(t)
	send(t, w.e, strings.Replace(c.wire(), "POST /", "POST http://127.0.0.1:8080/", 1)).created(t)
}

func TestCreateSession_algorithms(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root)
	ec := func(curve elliptic.Curve) (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
	tests := []struct {
		name string
		key  func() (crypto.Signer, error)
	}{
		{"RSA-2048", func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }},
		{"P-224", func() (crypto.Signer, error) { return ec(elliptic.P224()) }},
		{"P-256", func() (crypto.Signer, error) { return ec(elliptic.P256()) }},
		{"P-384", func() (crypto.Signer, error) { return ec(elliptic.P384()) }},
		{"P-521", func() (crypto.Signer, error) { return ec(elliptic.P521()) }},
		{"ML-DSA-44", func() (crypto.Signer, error) { return mldsa.GenerateKey(mldsa.MLDSA44()) }},
		{"ML-DSA-65", func() (crypto.Signer, error) { return mldsa.GenerateKey(mldsa.MLDSA65()) }},
		{"ML-DSA-87", func() (crypto.Signer, error) { return mldsa.GenerateKey(mldsa.MLDSA87()) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key, err := tt.key()
			if err != nil {
				t.Fatal(err)
			}
			leaf := root.issueFor(t, leafTemplate(), key)
			got := send(t, e, newCraft(e, leaf).sign(t).wire()).created(t)
			if set := got.CredentialSet[0]; set.RoleArn != e.RoleARN() || !set.Credentials.Expiration.Equal(testNow.Add(15*time.Minute)) {
				t.Errorf("credential set: %+v", set)
			}
		})
	}
}
