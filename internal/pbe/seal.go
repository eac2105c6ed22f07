package pbe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"

	"golang.org/x/crypto/scrypt"
)

// What Seal uses: N·r stays under the 32 MiB that OpenSSL allows itself, and p makes up for
// it (the OWASP password storage sheet lists the five times 16 MiB as equal to 128 MiB once).
const (
	sealN = 1 << 14
	sealR = 8
	sealP = 5
)

// Seal encrypts with PBES2: scrypt (N=2^14, r=8, p=5) and AES-256-CBC.
func Seal(plain, password []byte) (pkix.AlgorithmIdentifier, []byte, error) {
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	rand.Read(salt) // never fails, says crypto/rand
	rand.Read(iv)
	key, err := scrypt.Key(password, salt, sealN, sealR, sealP, 32)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, nil, err
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	sealed := append(make([]byte, 0, len(plain)+n), plain...)
	for range n {
		sealed = append(sealed, byte(n))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, sealed)
	algorithm, err := sealAlgorithm(salt, iv)
	return algorithm, sealed, err
}

func sealAlgorithm(salt, iv []byte) (pkix.AlgorithmIdentifier, error) {
	// RFC 7914 7.1 with no keyLength, which OpenSSL does not write either.
	kdf, err := identifier(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}, struct {
		Salt    []byte
		N, R, P int
	}{salt, sealN, sealR, sealP})
	if err != nil {
		return kdf, err
	}
	aes256, err := identifier(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, iv)
	if err != nil {
		return aes256, err
	}
	return identifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, pbes2Params{KDF: kdf, Cipher: aes256})
}

func identifier(oid asn1.ObjectIdentifier, params any) (pkix.AlgorithmIdentifier, error) {
	der, err := asn1.Marshal(params)
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}, err
}
