// Package pkcs8 opens and seals encrypted PKCS#8 private keys (RFC 5958 3).
package pkcs8

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"

	"kedge/internal/pbe"
)

// ErrWrongPassword reports that the password does not open the key, or that the key is damaged:
// without a MAC the two look the same.
var ErrWrongPassword = pbe.ErrWrongPassword

// UnsupportedError names an encryption that is not read.
type UnsupportedError = pbe.UnsupportedError

type encryptedPrivateKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// privateKeyInfo is the beginning of RFC 5958 2: enough to tell a key from noise.
type privateKeyInfo struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
}

// Decrypt opens an EncryptedPrivateKeyInfo and returns the PKCS#8 key within, which the caller
// should wipe after use. It reads PBES2 (AES, DES; PBKDF2, scrypt), PBES1 with DES, and the
// PKCS#12 schemes with 3DES and RC2. Errors are ErrWrongPassword, *UnsupportedError, or say
// what is malformed or too costly.
func Decrypt(der, password []byte) ([]byte, error) {
	var info encryptedPrivateKeyInfo
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, errors.New("malformed encrypted private key")
	}
	if password == nil {
		password = []byte{} // a PKCS#8 key has no password that is absent
	}
	plain, err := new(pbe.Budget).Open(info.Algorithm, info.Data, password)
	if err != nil {
		return nil, err
	}
	if rest, err := asn1.Unmarshal(plain, new(privateKeyInfo)); err != nil || len(rest) > 0 {
		clear(plain)
		return nil, ErrWrongPassword
	}
	return plain, nil
}

// Encrypt seals a PKCS#8 key so that Decrypt and "openssl pkey" open it: PBES2 with scrypt and
// AES-256-CBC. It takes about a tenth of a second.
func Encrypt(der, password []byte) ([]byte, error) {
	algorithm, sealed, err := pbe.Seal(der, password)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(encryptedPrivateKeyInfo{Algorithm: algorithm, Data: sealed})
}
