package mldsakey

import (
	"crypto"
	"crypto/mldsa"
	"crypto/subtle"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// Form is a choice of RFC 9881 6: what of the private key is written.
type Form int

// The forms. FormSeed is the shortest and the one every reader should know.
const (
	FormSeed Form = iota
	FormExpanded
	FormBoth
)

// privateKeyInfo is RFC 5958 2 without what may follow.
type privateKeyInfo struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
}

// both is the SEQUENCE of RFC 9881 6.
type both struct {
	Seed     []byte
	Expanded []byte
}

// Parameters returns the parameter set that an algorithm identifier of RFC 9881 2 names.
func Parameters(oid asn1.ObjectIdentifier) (mldsa.Parameters, bool) {
	for _, std := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		if p, err := paramsFor(std); err == nil && p.oid.Equal(oid) {
			return std, true
		}
	}
	return mldsa.Parameters{}, false
}

// ParsePKCS8 reads a PKCS#8 key in any of the three forms. It returns a *mldsa.PrivateKey when
// the seed is there, else a *PrivateKey. Where both are, they must agree.
func ParsePKCS8(der []byte) (crypto.Signer, error) {
	var info privateKeyInfo
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, errors.New("malformed PKCS#8")
	}
	std, ok := Parameters(info.Algorithm.Algorithm)
	if !ok {
		return nil, fmt.Errorf("algorithm %v is not ML-DSA", info.Algorithm.Algorithm)
	}
	if len(info.Algorithm.Parameters.FullBytes) > 0 {
		return nil, fmt.Errorf("%v key with algorithm parameters, which RFC 9881 forbids", std)
	}
	return parseChoice(std, info.PrivateKey)
}

func parseChoice(std mldsa.Parameters, der []byte) (crypto.Signer, error) {
	var choice asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &choice); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%v key: neither seed, expanded key nor both", std)
	}
	switch {
	case choice.Class == asn1.ClassContextSpecific && choice.Tag == 0 && !choice.IsCompound:
		return mldsa.NewPrivateKey(std, choice.Bytes)
	case choice.Class == asn1.ClassUniversal && choice.Tag == asn1.TagOctetString && !choice.IsCompound:
		return NewPrivateKey(std, choice.Bytes)
	case choice.Class == asn1.ClassUniversal && choice.Tag == asn1.TagSequence:
		var pair both
		if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("%v key: malformed pair of seed and expanded key", std)
		}
		return parseBoth(std, pair)
	}
	return nil, fmt.Errorf("%v key: neither seed, expanded key nor both", std)
}

func parseBoth(std mldsa.Parameters, pair both) (crypto.Signer, error) {
	expanded, err := Expand(std, pair.Seed)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(expanded, pair.Expanded) != 1 {
		return nil, fmt.Errorf("%v key: seed and expanded key disagree", std)
	}
	return mldsa.NewPrivateKey(std, pair.Seed)
}

// ParseForm reads the name of a form: seed, expanded or both.
func ParseForm(name string) (Form, error) {
	switch name {
	case "seed":
		return FormSeed, nil
	case "expanded":
		return FormExpanded, nil
	case "both":
		return FormBoth, nil
	}
	return 0, fmt.Errorf("%q is none of seed, expanded, both", name)
}

// MarshalPKCS8 writes the key as PKCS#8 in the given form.
func MarshalPKCS8(key *mldsa.PrivateKey, form Form) ([]byte, error) {
	p, err := paramsFor(key.PublicKey().Parameters())
	if err != nil {
		return nil, err
	}
	choice, err := marshalChoice(key, form)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(privateKeyInfo{Algorithm: pkix.AlgorithmIdentifier{Algorithm: p.oid}, PrivateKey: choice})
}

func marshalChoice(key *mldsa.PrivateKey, form Form) ([]byte, error) {
	if form == FormSeed {
		return asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: key.Bytes()})
	}
	expanded, err := Expand(key.PublicKey().Parameters(), key.Bytes())
	if err != nil {
		return nil, err
	}
	if form == FormExpanded {
		return asn1.Marshal(expanded)
	}
	return asn1.Marshal(both{Seed: key.Bytes(), Expanded: expanded})
}
