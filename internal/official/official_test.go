package official

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"reflect"
	"slices"
	"testing"
)

// keysOf makes a key of each kind.
func keysOf(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	all := map[string]crypto.Signer{}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = key
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all["RSA-2048"] = key
	pure, err := mldsa.GenerateKey(mldsa.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	all["ML-DSA-44"] = pure
	return all
}

// TestSignTest: the signature is over the string and the hash of "IAM RA" and the public key.
func TestSignTest(t *testing.T) {
	t.Parallel()
	for name, key := range keysOf(t) {
		signature, err := SignTest(key, crypto.SHA256)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		public, err := publicBytes(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(slices.Concat([]byte("IAM RA"), public))
		message := slices.Concat([]byte(Test), hash[:])
		digest := sha256.Sum256(message)
		valid := false
		switch public := key.Public().(type) {
		case *ecdsa.PublicKey:
			valid = ecdsa.VerifyASN1(public, digest[:], signature)
		case *rsa.PublicKey:
			valid = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
		case *mldsa.PublicKey:
			valid = mldsa.Verify(public, message, signature, nil) == nil
		}
		if !valid {
			t.Errorf("%s: it does not verify", name)
		}
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := SignTest(key, crypto.SHA256); err == nil {
		t.Error("a key of a kind that has no such signature signs")
	}
}

// TestDescribe: the kind of key and its algorithms, as the official helper names them.
func TestDescribe(t *testing.T) {
	t.Parallel()
	ec := Certificate{KeyType: "EC", SupportedAlgorithms: []string{"ECSHA256", "ECSHA384", "ECSHA512"}}
	want := map[string]Certificate{
		"P-256": ec, "P-384": ec, "P-521": ec,
		"RSA-2048":  {KeyType: "RSA", SupportedAlgorithms: []string{"RSASHA256", "RSASHA384", "RSASHA512"}},
		"ML-DSA-44": {KeyType: "MLDSA", SupportedAlgorithms: []string{"ML-DSA-44"}},
	}
	for name, key := range keysOf(t) {
		cert := &x509.Certificate{SerialNumber: big.NewInt(255), Subject: pkix.Name{CommonName: name}, PublicKey: key.Public(), Raw: []byte{1}}
		w := want[name]
		w.SerialNumber, w.CertificateData = "255", "AQ=="
		if got := Describe(cert); !reflect.DeepEqual(got, w) {
			t.Errorf("%s: %+v, want %+v", name, got, w)
		}
	}
	other := &x509.Certificate{SerialNumber: big.NewInt(1), PublicKey: ed25519.PublicKey{}}
	if got := Describe(other); got.KeyType != "" || got.SupportedAlgorithms == nil || len(got.SupportedAlgorithms) > 0 {
		t.Errorf("another kind: %+v", got)
	}
}
