package tpm

import (
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/google/go-tpm/tpm2"
)

// command builds the command that signs a digest; the key is still to be filled in.
func (s scheme) command(digest []byte, opts crypto.SignerOpts) (tpm2.Sign, error) {
	if opts == nil {
		return tpm2.Sign{}, errors.New("sign with the TPM: the hash of the digest is not given")
	}
	if _, pss := opts.(*rsa.PSSOptions); pss {
		return tpm2.Sign{}, errors.New("sign with the TPM: RSA-PSS is not supported: the TPM chooses the length of the salt")
	}
	hash := opts.HashFunc()
	id, ok := hashID(hash)
	switch {
	case !ok:
		return tpm2.Sign{}, fmt.Errorf("sign with the TPM: hash %v is not supported", hash)
	case len(digest) != hash.Size():
		return tpm2.Sign{}, fmt.Errorf("sign with the TPM: a digest of %d bytes is not one of %v", len(digest), hash)
	case s.hash != tpm2.TPMAlgNull && s.hash != id:
		return tpm2.Sign{}, fmt.Errorf("sign with the TPM: the key was made for digests of %s only, and this is one of %v", hashName(s.hash), hash)
	}
	return tpm2.Sign{
		Digest:     tpm2.TPM2BDigest{Buffer: digest},
		InScheme:   tpm2.TPMTSigScheme{Scheme: s.algorithm, Details: tpm2.NewTPMUSigScheme(s.algorithm, &tpm2.TPMSSchemeHash{HashAlg: id})},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
	}, nil
}

func hashID(h crypto.Hash) (tpm2.TPMAlgID, bool) {
	switch h {
	case crypto.SHA256:
		return tpm2.TPMAlgSHA256, true
	case crypto.SHA384:
		return tpm2.TPMAlgSHA384, true
	case crypto.SHA512:
		return tpm2.TPMAlgSHA512, true
	}
	return 0, false
}

func hashName(id tpm2.TPMAlgID) string {
	if h, err := id.Hash(); err == nil {
		return h.String()
	}
	return fmt.Sprintf("hash 0x%04x", uint16(id))
}

// encode returns the signature in the form of the standard library.
func encode(s *tpm2.TPMTSignature, public crypto.PublicKey) ([]byte, error) {
	if key, ok := public.(*rsa.PublicKey); ok {
		r, err := s.Signature.RSASSA()
		if err != nil {
			return nil, fmt.Errorf("signature of the TPM: %w", err)
		}
		if len(r.Sig.Buffer) > key.Size() {
			return nil, errors.New("signature of the TPM: longer than the key")
		}
		return new(big.Int).SetBytes(r.Sig.Buffer).FillBytes(make([]byte, key.Size())), nil
	}
	e, err := s.Signature.ECDSA()
	if err != nil {
		return nil, fmt.Errorf("signature of the TPM: %w", err)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(e.SignatureR.Buffer), new(big.Int).SetBytes(e.SignatureS.Buffer),
	})
}
