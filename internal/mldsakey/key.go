// Package mldsakey reads and writes ML-DSA private keys in the three forms of RFC 9881 6: the
// seed, the expanded key, and both. crypto/mldsa knows the seed only; a key that was stored
// without its seed signs here, by FIPS 204 on top of crypto/sha3. Verification and public
// keys are crypto/mldsa's.
//
// Nothing branches, indexes or divides on secrets, beyond the rejections that FIPS 204 itself
// makes. Values are safe for concurrent use. Memory is not wiped: Go gives no such promise.
package mldsakey

import (
	"crypto"
	"crypto/mldsa"
	"fmt"
)

// secret is what skDecode gives, FIPS 204 algorithm 25, and the public key of it.
type secret struct {
	params     *params
	rho        []byte
	key        []byte // K, the seed of the masks
	tr         []byte // hash of the public key
	s1, s2, t0 []poly
	public     []byte
}

// PrivateKey is an ML-DSA private key of which only the expanded form is known. It is a
// crypto.Signer with the contract of crypto/mldsa.PrivateKey. Safe for concurrent use.
type PrivateKey struct {
	params  *params
	zetas   *zetas
	matrix  [][]poly
	key, tr []byte
	// Transformed, as signing needs them.
	s1, s2, t0 []poly
	public     *mldsa.PublicKey
}

// NewPrivateKey decodes an expanded key (skEncode of FIPS 204). The error says whether its
// length, a coefficient, or the agreement of its parts is wrong.
func NewPrivateKey(std mldsa.Parameters, expanded []byte) (*PrivateKey, error) {
	p, err := paramsFor(std)
	if err != nil {
		return nil, err
	}
	sk, err := decodeSecret(p, expanded)
	if err != nil {
		return nil, err
	}
	z, a := newZetas(), p.matrix(sk.rho)
	t0 := sk.derive(z, a)
	if err := sk.check(t0); err != nil {
		return nil, err
	}
	public, err := mldsa.NewPublicKey(std, sk.public)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{
		params: p, zetas: z, matrix: a, key: sk.key, tr: sk.tr, public: public,
		s1: z.transformed(sk.s1), s2: z.transformed(sk.s2), t0: z.transformed(sk.t0),
	}, nil
}

// Expand returns the expanded form of the key with this 32-byte seed: KeyGen_internal,
// FIPS 204 algorithm 6.
func Expand(std mldsa.Parameters, seed []byte) ([]byte, error) {
	p, err := paramsFor(std)
	if err != nil {
		return nil, err
	}
	if len(seed) != seedSize {
		return nil, fmt.Errorf("%v seed of %d bytes, must be %d", std, len(seed), seedSize)
	}
	random := hash(rhoSize+64+kSize, seed, []byte{byte(p.k), byte(p.l)})
	sk := &secret{params: p, rho: random[:rhoSize], key: random[rhoSize+64:]}
	sk.s1, sk.s2 = p.secrets(random[rhoSize : rhoSize+64])
	sk.t0 = sk.derive(newZetas(), p.matrix(sk.rho))
	sk.tr = hash(trSize, sk.public)
	return sk.bytes(), nil
}

// derive computes t = A s1 + s2, keeps its high part as the public key and returns the low part.
func (sk *secret) derive(z *zetas, a [][]poly) (t0 []poly) {
	t := z.matrixTimes(a, z.transformed(sk.s1))
	t0 = make([]poly, len(t))
	for i := range t {
		t[i].add(&sk.s2[i])
		for j := range t[i] {
			t[i][j], t0[i][j] = power2Round(t[i][j])
		}
	}
	sk.public = publicBytes(sk.rho, t)
	return t0
}

// Public returns the *mldsa.PublicKey, computed from the private one.
func (k *PrivateKey) Public() crypto.PublicKey { return k.public }

// Equal reports whether x is the same key, here or as a *mldsa.PrivateKey.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool {
	other, ok := x.(interface{ Public() crypto.PublicKey })
	return ok && k.public.Equal(other.Public())
}
