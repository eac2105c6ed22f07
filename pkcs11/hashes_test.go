package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"
)

// TestTokenThatHashes: of ECDSA the token has CKM_ECDSA_SHA256 alone. Messages are signed with it,
// certificate requests too; a digest cannot be, and the error says so.
func TestTokenThatHashes(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	k := open(t, load(t, h, shim(t, h, "SHIM_HASHES=1")), "pkcs11:object=k")
	for _, size := range []int{0, 3, 70000} {
		message := bytes.Repeat([]byte("m"), size)
		signature, err := k.SignMessage(rand.Reader, message, crypto.SHA256)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		digest := sha256.Sum256(message)
		if !ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digest[:], signature) {
			t.Errorf("%d bytes: the signature does not verify", size)
		}
	}
	verifiesRequest(t, k)
	for _, sign := range []func([]byte) ([]byte, error){
		func(digest []byte) ([]byte, error) { return k.Sign(rand.Reader, digest, crypto.SHA256) },
		func(digest []byte) ([]byte, error) { return k.SignMessage(rand.Reader, digest, crypto.SHA384) },
	} {
		if _, err := sign(make([]byte, 32)); err == nil || !strings.Contains(err.Error(), "the token has no mechanism that signs a digest as it is wanted") {
			t.Errorf("without a mechanism for digests: %v", err)
		}
	}
}
