package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// scheme is how a key signs, as far as the key fixes it.
type scheme struct {
	algorithm tpm2.TPMAlgID // TPMAlgECDSA or TPMAlgRSASSA
	hash      tpm2.TPMAlgID // TPMAlgNull: any
}

// signingKey returns the public key of an object that can sign, and how; or the reason why
// it cannot.
func signingKey(in tpm2.TPM2BPublic) (crypto.PublicKey, scheme, error) {
	area, err := in.Contents()
	if err != nil {
		return nil, scheme{}, fmt.Errorf("public part of the key: %w", err)
	}
	if err := checkAttributes(area.ObjectAttributes); err != nil {
		return nil, scheme{}, err
	}
	s, err := schemeOf(area)
	if err != nil {
		return nil, scheme{}, err
	}
	public, err := tpm2.Pub(*area)
	if err != nil {
		return nil, scheme{}, fmt.Errorf("public part of the key: %w", err)
	}
	return public, s, checkSize(public)
}

// checkAttributes: TCG TPM 2.0 Library Part 2, section 8.3.
func checkAttributes(a tpm2.TPMAObject) error {
	switch {
	case !a.SignEncrypt && a.Decrypt:
		return &UnfitError{"the key may only decrypt: its attribute \"sign\" is not set"}
	case !a.SignEncrypt:
		return &UnfitError{"the key may not sign: its attribute \"sign\" is not set"}
	case a.Restricted:
		return &UnfitError{"the key is restricted: it signs only what the TPM itself has hashed, no requests or certificates"}
	case !a.UserWithAuth:
		return &UnfitError{"the key is used under a policy only (its attribute \"userwithauth\" is not set), which is not supported"}
	}
	return nil
}

// schemeOf reads the scheme, which a key fixes or leaves open (TPM_ALG_NULL).
func schemeOf(area *tpm2.TPMTPublic) (scheme, error) {
	switch area.Type {
	case tpm2.TPMAlgECC:
		p, err := area.Parameters.ECCDetail()
		if err != nil {
			return scheme{}, err
		}
		switch p.Scheme.Scheme {
		case tpm2.TPMAlgNull:
			return scheme{tpm2.TPMAlgECDSA, tpm2.TPMAlgNull}, nil
		case tpm2.TPMAlgECDSA:
			d, err := p.Scheme.Details.ECDSA()
			if err != nil {
				return scheme{}, err
			}
			return scheme{tpm2.TPMAlgECDSA, d.HashAlg}, nil
		}
		return scheme{}, &UnfitError{fmt.Sprintf("the key signs by the scheme 0x%04x only, not by ECDSA", uint16(p.Scheme.Scheme))}
	case tpm2.TPMAlgRSA:
		p, err := area.Parameters.RSADetail()
		if err != nil {
			return scheme{}, err
		}
		switch p.Scheme.Scheme {
		case tpm2.TPMAlgNull:
			return scheme{tpm2.TPMAlgRSASSA, tpm2.TPMAlgNull}, nil
		case tpm2.TPMAlgRSASSA:
			d, err := p.Scheme.Details.RSASSA()
			if err != nil {
				return scheme{}, err
			}
			return scheme{tpm2.TPMAlgRSASSA, d.HashAlg}, nil
		}
		return scheme{}, &UnfitError{fmt.Sprintf("the key signs by the scheme 0x%04x only, not by RSASSA (PKCS #1 v1.5)", uint16(p.Scheme.Scheme))}
	}
	return scheme{}, &UnfitError{fmt.Sprintf("object of type 0x%04x: not an RSA or elliptic curve key", uint16(area.Type))}
}

// checkSize refuses what the types of Go could not verify with either.
func checkSize(public crypto.PublicKey) error {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if _, err := key.Bytes(); err != nil {
			return fmt.Errorf("public part of the key: %w", err)
		}
		return nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 4096 {
			return fmt.Errorf("RSA key of %d bits; 2048 to 4096 are supported", bits)
		}
		return nil
	}
	return fmt.Errorf("key of type %T is not supported", public)
}

// sameName reports whether an object is the one that had the name: two objects with one name
// have the same public area. TCG TPM 2.0 Library Part 1, section 16.
func sameName(a, b tpm2.TPM2BName) bool { return string(a.Buffer) == string(b.Buffer) }

// nameOf computes the name of an object from its public area.
func nameOf(in tpm2.TPM2BPublic) (tpm2.TPM2BName, error) {
	area, err := in.Contents()
	if err != nil {
		return tpm2.TPM2BName{}, fmt.Errorf("public part of the key: %w", err)
	}
	name, err := tpm2.ObjectName(area)
	if err != nil {
		return tpm2.TPM2BName{}, fmt.Errorf("public part of the key: %w", err)
	}
	return *name, nil
}

// unmarshal reads a sized structure that fills data.
func unmarshal[T tpm2.Marshallable, P interface {
	*T
	tpm2.Unmarshallable
}](data []byte) (*T, error) {
	if len(data) < 2 || int(data[0])<<8|int(data[1]) != len(data)-2 {
		return nil, errors.New("its size is not the one it states")
	}
	return tpm2.Unmarshal[T, P](data)
}
