package keyfile_test

import (
	"crypto/ecdsa"
	"testing"

	"kedge/internal/testenv"
	"kedge/signer/keyfile"
)

func TestParsePair(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair := testenv.Run(t, dir, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-keyout", "-", "-subj", "/CN=a", "-days", "2")
	found, err := keyfile.Parse(pair, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Keys) != 1 || len(found.Certificates) != 1 {
		t.Fatalf("found %d keys and %d certificates", len(found.Keys), len(found.Certificates))
	}
	if !found.Certificates[0].PublicKey.(*ecdsa.PublicKey).Equal(found.Keys[0].Public()) {
		t.Fatal("the key is another")
	}
}
