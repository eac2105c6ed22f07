package mldsakey_test

import (
	"bytes"
	"crypto/mldsa"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"

	"kedge/internal/mldsakey"
)

func parameterSets() []mldsa.Parameters {
	return []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()}
}

// circlExpand is a third implementation of key generation.
func circlExpand(std mldsa.Parameters, seed [32]byte) []byte {
	switch std {
	case mldsa.MLDSA44():
		_, key := mldsa44.NewKeyFromSeed(&seed)
		return key.Bytes()
	case mldsa.MLDSA65():
		_, key := mldsa65.NewKeyFromSeed(&seed)
		return key.Bytes()
	default:
		_, key := mldsa87.NewKeyFromSeed(&seed)
		return key.Bytes()
	}
}

// TestSameAsStandardLibrary signs with expanded keys that circl made, and compares every
// byte with what crypto/mldsa makes from the seed.
func TestSameAsStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, std := range parameterSets() {
		t.Run(std.String(), func(t *testing.T) {
			t.Parallel()
			for i := range 60 {
				compareOne(t, std, i)
			}
		})
	}
}

func compareOne(t *testing.T, std mldsa.Parameters, i int) {
	t.Helper()
	var seed [32]byte
	rand.Read(seed[:])
	reference, err := mldsa.NewPrivateKey(std, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	expanded := circlExpand(std, seed)
	own, err := mldsakey.Expand(std, seed[:])
	if err != nil || !bytes.Equal(own, expanded) {
		t.Fatalf("seed %x: Expand differs from circl (%v)", seed, err)
	}
	key, err := mldsakey.NewPrivateKey(std, expanded)
	if err != nil {
		t.Fatalf("seed %x: %v", seed, err)
	}
	if !reference.PublicKey().Equal(key.Public()) {
		t.Fatalf("seed %x: another public key", seed)
	}
	opts := &mldsa.Options{Context: fmt.Sprint("context"[:i%8])}
	message := bytes.Repeat([]byte{byte(i)}, i*7)
	want, err := reference.SignDeterministic(message, opts)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.SignDeterministic(message, opts); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("seed %x: another signature (%v)", seed, err)
	}
}
