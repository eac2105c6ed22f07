package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"kedge/signer/keyfile"
)

// Algorithm names a way of signing, as it stands first in the Authorization header and in
// the string to sign.
//
// Source: IAM Roles Anywhere User Guide, "Authentication: signing process", task 2; ML-DSA
// since 2026.
type Algorithm string

// The algorithms of IAM Roles Anywhere. The key alone decides which one is used.
const (
	RSA   Algorithm = "AWS4-X509-RSA-SHA256"   // PKCS#1 v1.5 over SHA-256
	ECDSA Algorithm = "AWS4-X509-ECDSA-SHA256" // any curve, SHA-256, ASN.1 DER
	MLDSA Algorithm = "AWS4-X509-MLDSA"        // pure ML-DSA, empty context, any parameter set
)

// algorithmFor tells how a key with this public half signs.
func algorithmFor(public crypto.PublicKey) (Algorithm, error) {
	switch public.(type) {
	case *rsa.PublicKey:
		return RSA, nil
	case *ecdsa.PublicKey:
		return ECDSA, nil
	case *mldsa.PublicKey:
		return MLDSA, nil
	}
	return "", fmt.Errorf("a key of type %s cannot sign for IAM Roles Anywhere, which knows RSA, EC and ML-DSA", KeyKind(public))
}

// sign signs message as the algorithm wants it. RSA and EC keys get the SHA-256 digest,
// whatever the curve; an ML-DSA key gets the message itself, and a token that only hashes
// itself may.
func (a Algorithm) sign(key crypto.Signer, message []byte) ([]byte, error) {
	hash := crypto.SHA256
	if a == MLDSA {
		hash = 0
	}
	return crypto.SignMessage(key, rand.Reader, message, hash)
}

// KeyKind names a public key: "RSA-2048", "P-256", "ML-DSA-44". A key that is none of these has the name of its Go type.
func KeyKind(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case *mldsa.PublicKey:
		return k.Parameters().String()
	}
	return fmt.Sprintf("%T", public)
}

// CertKeyKind names the key in a certificate, as KeyKind does; with an article if it is one that the service has no
// algorithm for.
func CertKeyKind(cert *x509.Certificate) string {
	if kind := keyfile.KeyName(cert); kind != "" {
		return kind
	}
	return KeyKind(cert.PublicKey)
}

// samePublic compares two public keys by their own Equal, so that it works for keys in
// hardware as well.
func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// strongDigest reports whether a certificate was signed with SHA-256 or better.
//
// Source: IAM Roles Anywhere User Guide, "Trust model": "must use SHA256 or stronger";
// algorithms that are not listed are left for the service to judge.
func strongDigest(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return false
	}
	return true
}
