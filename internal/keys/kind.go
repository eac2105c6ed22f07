package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"

	"kedge/internal/pkcs8"
)

func fileTypes() []string {
	return []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}
}

// Kind is a type of key that can be generated in memory. The zero value is invalid.
type Kind struct {
	curve  elliptic.Curve
	bits   int              // of an RSA modulus
	params mldsa.Parameters // of an ML-DSA key
}

// ParseKind reads the name of a type, such as "P-256", ignoring case. The error lists the types.
func ParseKind(name string) (Kind, error) {
	switch strings.ToUpper(name) {
	case "P-256":
		return Kind{curve: elliptic.P256()}, nil
	case "P-384":
		return Kind{curve: elliptic.P384()}, nil
	case "P-521":
		return Kind{curve: elliptic.P521()}, nil
	case "RSA-2048":
		return Kind{bits: 2048}, nil
	case "RSA-3072":
		return Kind{bits: 3072}, nil
	case "RSA-4096":
		return Kind{bits: 4096}, nil
	case "ML-DSA-44":
		return Kind{params: mldsa.MLDSA44()}, nil
	case "ML-DSA-65":
		return Kind{params: mldsa.MLDSA65()}, nil
	case "ML-DSA-87":
		return Kind{params: mldsa.MLDSA87()}, nil
	}
	return Kind{}, fmt.Errorf("%q is none of %s", name, strings.Join(fileTypes(), ", "))
}

// IsMLDSA reports whether the key can be written in several forms.
func (k Kind) IsMLDSA() bool { return k.curve == nil && k.bits == 0 }

// Generate generates a key, and returns its PKCS#8 encoding, which the caller should clear. The
// form applies to ML-DSA only.
func (k Kind) Generate(form pkcs8.MLDSAForm) (key crypto.Signer, der []byte, err error) {
	switch {
	case k.curve != nil:
		key, err = ecdsa.GenerateKey(k.curve, rand.Reader)
	case k.bits > 0:
		key, err = rsa.GenerateKey(rand.Reader, k.bits)
	default:
		return generateMLDSA(k.params, form)
	}
	if err != nil {
		return nil, nil, err
	}
	der, err = x509.MarshalPKCS8PrivateKey(key)
	return key, der, err
}

func generateMLDSA(parameters mldsa.Parameters, form pkcs8.MLDSAForm) (crypto.Signer, []byte, error) {
	key, err := mldsa.GenerateKey(parameters)
	if err != nil {
		return nil, nil, err
	}
	der, err := pkcs8.MarshalMLDSA(key, form)
	return key, der, err
}
