package official

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
)

// Test is the string that the official helper's sign-string signs, before the hash of
// the public key: its name and its version, 1.
const Test = "AWS Roles Anywhere Credential Helper Signing Test1"

// SignTest signs the string Test and the hash of the public key.
func SignTest(key crypto.Signer, hash crypto.Hash) ([]byte, error) {
	public, err := publicBytes(key.Public())
	if err != nil {
		return nil, err
	}
	suffix := sha256.Sum256(append([]byte("IAM RA"), public...))
	message := append([]byte(Test), suffix[:]...)
	if _, pure := key.Public().(*mldsa.PublicKey); pure {
		return key.Sign(rand.Reader, message, &mldsa.Options{})
	}
	return crypto.SignMessage(key, rand.Reader, message, hash)
}

// publicBytes is the public key as it enters the string: the uncompressed point, or PKCS#1. For
// ML-DSA, which the official helper does not know, it is the encoding of FIPS 204.
func publicBytes(public crypto.PublicKey) ([]byte, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return k.Bytes()
	case *rsa.PublicKey:
		return x509.MarshalPKCS1PublicKey(k), nil
	case *mldsa.PublicKey:
		return k.Bytes(), nil
	}
	return nil, fmt.Errorf("no signature is defined for a key of type %T", public)
}
