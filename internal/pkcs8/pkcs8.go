// Package pkcs8 opens and seals encrypted PKCS#8 private keys (RFC 5958 3).
package pkcs8

import "errors"

// ErrWrongPassword: the password does not open the key, or the key is damaged.
var ErrWrongPassword = errors.New("wrong password")

// Decrypt opens an EncryptedPrivateKeyInfo and returns the PKCS#8 key within.
func Decrypt(der, password []byte) ([]byte, error) { return nil, errors.New("not supported yet") }

// Encrypt seals a PKCS#8 key.
func Encrypt(der, password []byte) ([]byte, error) { return nil, errors.New("not supported yet") }
