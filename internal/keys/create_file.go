package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"kedge/internal/atomicfile"
	"kedge/internal/mldsakey"
	"kedge/internal/pkcs8"
)

func fileTypes() []string {
	return []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}
}

// createFile writes PKCS#8 in PEM, encrypted if there is a password.
func createFile(o CreateOptions) (string, error) {
	if err := vacant(o.Out); err != nil {
		return "", err
	}
	var password []byte
	if o.Secret != nil {
		var err error
		if password, err = o.Secret(); err != nil {
			return "", err
		}
		defer clear(password)
	}
	der, err := generate(o.Type)
	if err != nil {
		return "", fmt.Errorf("make a %s key: %w", o.Type, err)
	}
	defer clear(der)
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if o.Secret != nil {
		if block.Bytes, err = pkcs8.Encrypt(der, password); err != nil {
			return "", fmt.Errorf("encrypt %s: %w", o.Out, err)
		}
		block.Type = "ENCRYPTED PRIVATE KEY"
	}
	if err := atomicfile.Create(o.Out, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", &UnwrittenError{Err: err}
	}
	return o.Out, nil
}

// generate makes a key and returns its PKCS#8.
func generate(keyType string) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch keyType {
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "P-521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "RSA-2048":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "RSA-3072":
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case "RSA-4096":
		key, err = rsa.GenerateKey(rand.Reader, 4096)
	case "ML-DSA-44":
		return generateMLDSA(mldsa.MLDSA44())
	case "ML-DSA-65":
		return generateMLDSA(mldsa.MLDSA65())
	case "ML-DSA-87":
		return generateMLDSA(mldsa.MLDSA87())
	default:
		err = errors.New("there is no such type")
	}
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// generateMLDSA makes a key in the form that every reader should know: RFC 9881 section 6.
func generateMLDSA(parameters mldsa.Parameters) ([]byte, error) {
	key, err := mldsa.GenerateKey(parameters)
	if err != nil {
		return nil, err
	}
	return mldsakey.MarshalPKCS8(key, mldsakey.FormSeed)
}
