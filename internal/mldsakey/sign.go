package mldsakey

import (
	"crypto"
	"crypto/mldsa"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// Sign signs the message itself, or the 64 bytes of μ when opts.HashFunc is crypto.MLDSAMu,
// as crypto/mldsa.PrivateKey.Sign does: hedged with fresh randomness; the reader is ignored.
// opts may be nil, or *mldsa.Options for a context.
func (k *PrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	random := make([]byte, 32)
	rand.Read(random) // never fails, says crypto/rand
	return k.sign(random, message, opts)
}

// SignDeterministic is Sign without randomness, the optional variant of FIPS 204 3.4.
func (k *PrivateKey) SignDeterministic(message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.sign(make([]byte, 32), message, opts)
}

func (k *PrivateKey) sign(random, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	mu, err := k.representative(message, opts)
	if err != nil {
		return nil, err
	}
	return k.signInternal(random, mu), nil
}

// representative is μ of FIPS 204 algorithms 2 and 7.
func (k *PrivateKey) representative(message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil {
		opts = &mldsa.Options{}
	}
	switch opts.HashFunc() {
	case 0:
	case crypto.MLDSAMu:
		if len(message) != muSize {
			return nil, fmt.Errorf("ML-DSA: μ of %d bytes, must be %d", len(message), muSize)
		}
		return message, nil
	default:
		return nil, fmt.Errorf("ML-DSA signs the message itself, not its hash by %v", opts.HashFunc())
	}
	var context string
	if options, ok := opts.(*mldsa.Options); ok {
		context = options.Context
	}
	if len(context) > 255 {
		return nil, errors.New("ML-DSA: a context longer than 255 bytes")
	}
	return hash(muSize, k.tr, []byte{0, byte(len(context))}, []byte(context), message), nil
}

// signInternal is FIPS 204 algorithm 7 from μ on.
func (k *PrivateKey) signInternal(random, mu []byte) []byte {
	rho := hash(64, k.key, random, mu)
	for kappa := 0; ; kappa += k.params.l {
		if signature, ok := k.attempt(rho, mu, kappa); ok {
			return signature
		}
	}
}

// attempt is one round of the rejection loop; most rounds are rejected.
func (k *PrivateKey) attempt(rho, mu []byte, kappa int) ([]byte, bool) {
	p := k.params
	z := p.masks(rho, kappa)
	w := k.zetas.matrixTimes(k.matrix, k.zetas.transformed(z))
	challenge, c := k.challenge(mu, w)
	for i := range z {
		cs1 := k.zetas.times(&c, &k.s1[i])
		z[i].add(&cs1)
	}
	for i := range w {
		cs2 := k.zetas.times(&c, &k.s2[i])
		w[i].sub(&cs2)
	}
	if anyExceeds(z, p.gamma1-p.beta) || p.lowBitsExceed(w, p.gamma2-p.beta) {
		return nil, false
	}
	ct0 := make([]poly, p.k)
	for i := range ct0 {
		ct0[i] = k.zetas.times(&c, &k.t0[i])
	}
	hint, ones := p.makeHint(w, ct0)
	if anyExceeds(ct0, p.gamma2) || ones > p.omega {
		return nil, false
	}
	signature := appendSigned(challenge, z, p.gamma1, p.maskBits)
	return p.appendHint(signature, hint), true
}

// challenge hashes the high part of w, and returns the hash and the transform of the
// polynomial that it stands for.
func (k *PrivateKey) challenge(mu []byte, w []poly) ([]byte, poly) {
	var packed []byte
	high := k.params.highBits(w)
	for i := range high {
		packed = appendPacked(packed, &high[i], k.params.w1Bits)
	}
	sum := hash(k.params.challenge, mu, packed)
	c := k.params.sampleInBall(sum)
	k.zetas.ntt(&c)
	return sum, c
}

func anyExceeds(v []poly, bound uint32) bool {
	over := false
	for i := range v {
		over = v[i].exceeds(bound) || over
	}
	return over
}
