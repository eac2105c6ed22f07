package pkcs8

import (
	"crypto"
	"crypto/mldsa"
	"crypto/subtle"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// MLDSAForm is a choice of RFC 9881 6: what of the private key is written.
type MLDSAForm int

// The forms. FormSeed is the shortest and the one every reader should know.
const (
	FormSeed MLDSAForm = iota
	FormExpanded
	FormBoth
)

// both is the SEQUENCE of RFC 9881 6.
type both struct {
	Seed     []byte
	Expanded []byte
}

// MLDSAParameters returns the parameter set that an algorithm identifier of RFC 9881 2 names.
func MLDSAParameters(oid asn1.ObjectIdentifier) (mldsa.Parameters, bool) {
	for _, set := range parameterSets() {
		if set.oid.Equal(oid) {
			return set.std, true
		}
	}
	return mldsa.Parameters{}, false
}

// ParseMLDSA reads an ML-DSA key in any of the three forms. It returns a *mldsa.PrivateKey when
// the seed is there, else a *SeedlessKey. Where both are, they must agree.
func ParseMLDSA(der []byte) (crypto.Signer, error) {
	var info privateKeyInfo
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, errors.New("malformed PKCS#8")
	}
	std, ok := MLDSAParameters(info.Algorithm.Algorithm)
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
		return NewSeedlessKey(std, choice.Bytes)
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
	expanded, err := expand(std, pair.Seed)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(expanded, pair.Expanded) != 1 {
		return nil, fmt.Errorf("%v key: seed and expanded key disagree", std)
	}
	return mldsa.NewPrivateKey(std, pair.Seed)
}

// ParseMLDSAForm reads the name of a form: seed, expanded or both.
func ParseMLDSAForm(name string) (MLDSAForm, error) {
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

// MarshalMLDSA writes the key as PKCS#8 in the given form.
func MarshalMLDSA(key *mldsa.PrivateKey, form MLDSAForm) ([]byte, error) {
	p, err := parametersOf(key.PublicKey().Parameters())
	if err != nil {
		return nil, err
	}
	choice, err := marshalChoice(key, form)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(privateKeyInfo{Algorithm: pkix.AlgorithmIdentifier{Algorithm: p.oid}, PrivateKey: choice})
}

func marshalChoice(key *mldsa.PrivateKey, form MLDSAForm) ([]byte, error) {
	if form == FormSeed {
		return asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: key.Bytes()})
	}
	expanded, err := expand(key.PublicKey().Parameters(), key.Bytes())
	if err != nil {
		return nil, err
	}
	if form == FormExpanded {
		return asn1.Marshal(expanded)
	}
	return asn1.Marshal(both{Seed: key.Bytes(), Expanded: expanded})
}
