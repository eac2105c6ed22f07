package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// encodeECDSA turns r and s, each as long as the order, into ECDSA-Sig-Value, RFC 3279 section
// 2.2.3. PKCS#11 v2.40 mechanisms, section 2.3.1.
func encodeECDSA(raw []byte, public *ecdsa.PublicKey) ([]byte, error) {
	size := orderSize(public)
	if len(raw) != 2*size {
		return nil, fmt.Errorf("the signature has %d bytes, not %d", len(raw), 2*size)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])})
}

// truncate leaves of a digest what ECDSA uses, FIPS 186-5 section 6.4.1: some tokens refuse
// more. All orders here have whole bytes, or more bits than any digest.
func truncate(digest []byte, public *ecdsa.PublicKey) []byte {
	return digest[:min(len(digest), orderSize(public))]
}

func orderSize(public *ecdsa.PublicKey) int {
	return (public.Curve.Params().N.BitLen() + 7) / 8
}

// forRSA completes a scheme for an RSA key.
func (s scheme) forRSA(public *rsa.PublicKey, opts crypto.SignerOpts) (scheme, error) {
	hash := opts.HashFunc()
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		var err error
		s.params, err = pssParams(public, pss)
		s.encode = func(digest []byte) ([]byte, error) { return digest, sized(digest, hash) }
		return s, err
	}
	prefix, err := digestInfo(hash)
	if err != nil {
		return s, err
	}
	padded := s.mechanism == mechRSAX509
	s.encode = func(digest []byte) ([]byte, error) {
		info := append(prefix[:len(prefix):len(prefix)], digest...)
		if padded {
			info = pad(info, public.Size())
		}
		return info, sized(digest, hash)
	}
	return s, nil
}

func sized(digest []byte, hash crypto.Hash) error {
	if len(digest) != hash.Size() {
		return fmt.Errorf("the digest has %d bytes, not %d as %s has", len(digest), hash.Size(), hash)
	}
	return nil
}

// digestInfo returns what stands before the digest in a DigestInfo, RFC 8017 section 9.2,
// note 1.
func digestInfo(hash crypto.Hash) ([]byte, error) {
	prefix := func(oidEnd, size byte) []byte {
		return []byte{0x30, 0x11 + size, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, oidEnd, 0x05, 0x00, 0x04, size}
	}
	switch hash {
	case crypto.SHA256:
		return prefix(1, 32), nil
	case crypto.SHA384:
		return prefix(2, 48), nil
	case crypto.SHA512:
		return prefix(3, 64), nil
	}
	return nil, fmt.Errorf("signing with hash function %d is not supported; SHA-256, SHA-384 and SHA-512 are", hash)
}

// pad is EMSA-PKCS1-v1_5, RFC 8017 section 9.2, for tokens that have only the bare operation.
func pad(info []byte, size int) []byte {
	padded := make([]byte, size)
	padded[1] = 1
	for i := 2; i < size-len(info)-1; i++ {
		padded[i] = 0xff
	}
	copy(padded[size-len(info):], info)
	return padded
}

// pssParams are hash, mask generation and length of the salt, CK_RSA_PKCS_PSS_PARAMS.
func pssParams(public *rsa.PublicKey, o *rsa.PSSOptions) ([]uint64, error) {
	hash := o.HashFunc()
	salt := o.SaltLength
	switch salt {
	case rsa.PSSSaltLengthEqualsHash:
		salt = hash.Size()
	case rsa.PSSSaltLengthAuto:
		salt = (public.N.BitLen()-1+7)/8 - 2 - hash.Size()
	}
	if salt < 0 {
		return nil, errors.New("the RSA key is too short for PSS with this hash function")
	}
	switch hash {
	case crypto.SHA256:
		return []uint64{mechSHA256, mgfSHA256, uint64(salt)}, nil
	case crypto.SHA384:
		return []uint64{mechSHA384, mgfSHA384, uint64(salt)}, nil
	case crypto.SHA512:
		return []uint64{mechSHA512, mgfSHA512, uint64(salt)}, nil
	}
	return nil, fmt.Errorf("signing with hash function %d is not supported; SHA-256, SHA-384 and SHA-512 are", hash)
}
