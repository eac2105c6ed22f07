package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rsa"
	"slices"
)

// keyRules are about the public key.
func keyRules() []rule {
	return []rule{
		{"key", Error, all, false, "NIST SP 800-131A; FIPS 186-5; FIPS 204", checkPublicKey},
	}
}

func checkPublicKey(s *subject) []string {
	switch key := s.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < 2048 || n > 4096 {
			return broken("has an RSA key of %d bits; 2048 to 4096 are taken", n)
		}
	case *ecdsa.PublicKey:
		if !slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}, key.Curve) {
			return broken("has a key on the curve %s; P-256, P-384 and P-521 are taken", key.Curve.Params().Name)
		}
	case *mldsa.PublicKey:
	default:
		return broken("has a key of the type %s; RSA, EC and ML-DSA are taken", s.PublicKeyAlgorithm)
	}
	return nil
}
