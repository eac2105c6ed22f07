package signer

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"

	"kedge/internal/pkcs8"
)

// noPassword stands where nothing can be encrypted any more.
func noPassword() ([]byte, error) { return nil, ErrPasswordRequired }

// parseKey reads one private key in any of its DER forms, plain or encrypted.
func parseKey(der []byte, password PasswordFunc) (crypto.Signer, error) {
	kind, err := shape(der)
	if err != nil {
		return nil, fmt.Errorf("unreadable private key: %w", err)
	}
	switch kind {
	case shapePKCS1:
		return asSigner(x509.ParsePKCS1PrivateKey(der))
	case shapeSEC1:
		return asSigner(x509.ParseECPrivateKey(der))
	case shapePKCS8:
		return parsePKCS8(der)
	case shapeEncrypted:
		return decryptKey(der, password)
	}
	return nil, fmt.Errorf("%s, not a private key", kind)
}

func decryptKey(der []byte, password PasswordFunc) (crypto.Signer, error) {
	secret, err := password()
	if err != nil {
		return nil, err
	}
	plain, err := pkcs8.Decrypt(der, secret)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return parsePKCS8(plain)
}

func parsePKCS8(der []byte) (crypto.Signer, error) {
	return asSigner(x509.ParsePKCS8PrivateKey(der))
}

// asSigner turns what crypto/x509 parsed into a key that can sign a session, or says why not.
func asSigner[K any](key K, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, fmt.Errorf("unreadable private key: %w", err)
	}
	if _, isEd25519 := any(key).(ed25519.PrivateKey); isEd25519 {
		return nil, unsupportedKey("an Ed25519")
	}
	signer, ok := any(key).(crypto.Signer)
	if !ok {
		return nil, unsupportedKey("a key agreement")
	}
	return signer, nil
}

func unsupportedKey(kind string) error {
	return fmt.Errorf("%s private key, for which Roles Anywhere has no algorithm: it takes RSA, EC and ML-DSA", kind)
}
