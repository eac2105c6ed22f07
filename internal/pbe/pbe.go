// Package pbe opens data that is encrypted under a password as PKCS#5 (RFC 8018), scrypt (RFC
// 7914) and PKCS#12 (RFC 7292 appendix B) say, and seals it the way OpenSSL 3 reads. It knows
// ciphers and key derivations; what is inside is for pkcs8 and pkcs12.
//
// The parameters come from files that may be hostile, so memory and work are bounded, for one
// derivation and by a Budget for all over one file: seconds, not minutes. Derived keys are
// wiped after use; copies that the standard library makes are not.
package pbe

import (
	"crypto/cipher"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// ErrWrongPassword reports that the padding is wrong after decryption. Without a MAC, a wrong password and
// damaged data look the same, and one wrong password in 256 is not noticed here.
var ErrWrongPassword = errors.New("wrong password")

// UnsupportedError reports that the data is encrypted with something that is not read here.
type UnsupportedError struct {
	What string // the algorithm, by name or object identifier
}

func (e *UnsupportedError) Error() string {
	return "encrypted with " + e.What + ", which is not supported"
}

// Open decrypts with a password in UTF-8. A nil password differs from an empty one for the
// PKCS#12 algorithms: they hash no bytes for the first, a terminating zero for the second.
// It returns ErrWrongPassword, *UnsupportedError, or what is wrong with the parameters, such
// as that they ask for more work than the budget has.
func (b *Budget) Open(algorithm pkix.AlgorithmIdentifier, sealed, password []byte) ([]byte, error) {
	block, iv, err := b.schemeCipher(algorithm, password)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(sealed) == 0 || len(sealed)%size != 0 {
		return nil, fmt.Errorf("encrypted data of %d bytes, must be a multiple of %d", len(sealed), size)
	}
	if len(iv) != size {
		return nil, fmt.Errorf("initialization vector of %d bytes, must be %d", len(iv), size)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, sealed)
	return unpad(plain, size)
}

// unpad takes the padding of RFC 8018 6.1.1 off.
func unpad(plain []byte, size int) ([]byte, error) {
	n := int(plain[len(plain)-1])
	if n < 1 || n > size {
		clear(plain)
		return nil, ErrWrongPassword
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			clear(plain)
			return nil, ErrWrongPassword
		}
	}
	return plain[:len(plain)-n], nil
}

// schemeCipher finds the scheme: PBES2, or one of the older ones with a fixed cipher.
func (b *Budget) schemeCipher(algorithm pkix.AlgorithmIdentifier, password []byte) (cipher.Block, []byte, error) {
	oid := algorithm.Algorithm.String()
	if oid == oidPBES2 {
		return b.pbes2(algorithm.Parameters.FullBytes, password)
	}
	return b.oldScheme(oid, algorithm.Parameters.FullBytes, password)
}

// unmarshal reads exactly one value.
func unmarshal(der []byte, into any, what string) error {
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		return fmt.Errorf("malformed %s parameters", what)
	}
	return nil
}

// Reseal encrypts with the algorithm, salt and vector of data that Open decrypted: for data that takes
// the place of that, and of which no copy is kept.
func (b *Budget) Reseal(algorithm pkix.AlgorithmIdentifier, plain, password []byte) ([]byte, error) {
	block, iv, err := b.schemeCipher(algorithm, password)
	if err != nil {
		return nil, err
	}
	if _, ok := block.(*rc2Block); ok {
		return nil, &UnsupportedError{What: "RC2"} // it is only decrypted with here
	}
	size := block.BlockSize()
	if len(iv) != size {
		return nil, fmt.Errorf("initialization vector of %d bytes, must be %d", len(iv), size)
	}
	n := size - len(plain)%size
	sealed := append(make([]byte, 0, len(plain)+n), plain...)
	for range n {
		sealed = append(sealed, byte(n))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, sealed)
	return sealed, nil
}
