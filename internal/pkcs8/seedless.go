package pkcs8

import (
	"bytes"
	"crypto"
	"crypto/mldsa"
	"crypto/sha3"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// parameterSet joins what crypto/mldsa and circl call a row of FIPS 204 table 1.
type parameterSet struct {
	std            mldsa.Parameters
	oid            asn1.ObjectIdentifier // RFC 9881 2
	scheme         sign.Scheme
	vectors, width int // polynomials of s1 and s2, and bits of a packed coefficient of them
	signTo         func(key sign.PrivateKey, message, context, signature []byte) error
}

func parameterSets() []parameterSet {
	oid := func(last int) asn1.ObjectIdentifier {
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, last}
	}
	return []parameterSet{
		{mldsa.MLDSA44(), oid(17), mldsa44.Scheme(), 8, 3, func(key sign.PrivateKey, message, context, signature []byte) error {
			return mldsa44.SignTo(key.(*mldsa44.PrivateKey), message, context, true, signature)
		}},
		{mldsa.MLDSA65(), oid(18), mldsa65.Scheme(), 11, 4, func(key sign.PrivateKey, message, context, signature []byte) error {
			return mldsa65.SignTo(key.(*mldsa65.PrivateKey), message, context, true, signature)
		}},
		{mldsa.MLDSA87(), oid(19), mldsa87.Scheme(), 15, 3, func(key sign.PrivateKey, message, context, signature []byte) error {
			return mldsa87.SignTo(key.(*mldsa87.PrivateKey), message, context, true, signature)
		}},
	}
}

func parametersOf(std mldsa.Parameters) (parameterSet, error) {
	for _, p := range parameterSets() {
		if p.std == std {
			return p, nil
		}
	}
	return parameterSet{}, fmt.Errorf("unknown ML-DSA parameter set %v", std)
}

// errMixedParts is an expanded key that would sign, but nothing could verify it.
var errMixedParts = errors.New("expanded ML-DSA key: its parts do not belong together")

// SeedlessKey is an ML-DSA private key of which only the expanded form is known, which crypto/mldsa
// does not take: circl signs. It is a crypto.Signer with the contract of crypto/mldsa.PrivateKey, but
// does not sign μ. It is safe for concurrent use.
type SeedlessKey struct {
	set    parameterSet
	key    sign.PrivateKey
	public *mldsa.PublicKey
}

// NewSeedlessKey decodes an expanded key (skEncode of FIPS 204). The error reports whether its
// length, a coefficient, or the agreement of its parts is wrong.
func NewSeedlessKey(std mldsa.Parameters, expanded []byte) (*SeedlessKey, error) {
	set, err := parametersOf(std)
	if err != nil {
		return nil, err
	}
	if want := set.scheme.PrivateKeySize(); len(expanded) != want {
		return nil, fmt.Errorf("%v expanded key of %d bytes, must be %d", std, len(expanded), want)
	}
	if !set.inRange(expanded[128:]) {
		return nil, fmt.Errorf("%v expanded key: a secret coefficient is out of range", std)
	}
	key, err := set.scheme.UnmarshalBinaryPrivateKey(expanded)
	if err != nil {
		return nil, errMixedParts
	}
	// The public key is computed from the secret vectors; its hash, tr, is a part of the expanded key.
	encoded, err := key.Public().(sign.PublicKey).MarshalBinary()
	if err != nil {
		return nil, errMixedParts
	}
	if tr := sha3.SumSHAKE256(encoded, 64); !bytes.Equal(tr, expanded[64:128]) {
		return nil, errMixedParts
	}
	public, err := mldsa.NewPublicKey(std, encoded)
	if err != nil {
		return nil, err
	}
	return &SeedlessKey{set, key, public}, nil
}

// inRange reports whether the coefficients of s1 and s2, packed at the beginning, are at most 2 eta:
// FIPS 204 algorithm 25 leaves that to the caller, and circl does not look. Its time tells nothing.
func (p parameterSet) inRange(packed []byte) bool {
	largest, over := uint16(1)<<(p.width-1), uint16(0)
	for bit := 0; bit < p.vectors*256*p.width; bit += p.width {
		two := uint16(packed[bit/8]) | uint16(packed[bit/8+1])<<8
		over |= largest - two>>(bit%8)&(1<<p.width-1)
	}
	return over>>15 == 0
}

// Public returns the *mldsa.PublicKey, computed from the private one.
func (k *SeedlessKey) Public() crypto.PublicKey { return k.public }

// Equal reports whether x is the same key, here or as a *mldsa.PrivateKey.
func (k *SeedlessKey) Equal(x crypto.PrivateKey) bool {
	other, ok := x.(interface{ Public() crypto.PublicKey })
	return ok && k.public.Equal(other.Public())
}

// Sign signs the message itself, hedged with fresh randomness; the reader is ignored. opts may be
// nil, or *mldsa.Options for a context. What does not verify is not returned: of the parts of the key,
// t0 shows only there that it is another's.
func (k *SeedlessKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != 0 {
		return nil, fmt.Errorf("ML-DSA signs the message itself, not its hash by %v", opts.HashFunc())
	}
	options, ok := opts.(*mldsa.Options)
	if !ok {
		options = &mldsa.Options{}
	}
	if len(options.Context) > 255 {
		return nil, errors.New("ML-DSA: a context longer than 255 bytes")
	}
	signature, err := k.sign(message, []byte(options.Context))
	if err != nil || mldsa.Verify(k.public, message, signature, options) != nil {
		return nil, errMixedParts
	}
	return signature, nil
}

// sign returns an error where circl panics: a t0 can be such that every attempt is rejected.
func (k *SeedlessKey) sign(message, context []byte) (signature []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errMixedParts
		}
	}()
	signature = make([]byte, k.set.scheme.SignatureSize())
	return signature, k.set.signTo(k.key, message, context, signature)
}

// expand returns the expanded form of the key with this 32-byte seed: KeyGen_internal,
// FIPS 204 algorithm 6.
func expand(std mldsa.Parameters, seed []byte) ([]byte, error) {
	set, err := parametersOf(std)
	if err != nil {
		return nil, err
	}
	if want := set.scheme.SeedSize(); len(seed) != want {
		return nil, fmt.Errorf("%v seed of %d bytes, must be %d", std, len(seed), want)
	}
	_, key := set.scheme.DeriveKey(seed)
	return key.MarshalBinary()
}
