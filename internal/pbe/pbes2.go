package pbe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// OIDPBKDF2 is id-PBKDF2, RFC 8018 appendix A.2.
const OIDPBKDF2 = "1.2.840.113549.1.5.12"

// Object identifiers of RFC 8018 appendix C, RFC 7914 7 and NIST.
const (
	oidPBES2      = "1.2.840.113549.1.5.13"
	oidScrypt     = "1.3.6.1.4.1.11591.4.11"
	oidAES128CBC  = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC  = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC  = "2.16.840.1.101.3.4.1.42"
	oidDESEDE3CBC = "1.2.840.113549.3.7"
	oidDESCBC     = "1.3.14.3.2.7"
)

type pbes2Params struct {
	KDF, Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       asn1.RawValue // an OCTET STRING; the other choice is not in use
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

func (b *Budget) pbes2(der, password []byte) (cipher.Block, []byte, error) {
	var params pbes2Params
	if err := unmarshal(der, &params, "PBES2"); err != nil {
		return nil, nil, err
	}
	newCipher, size := cipherFor(params.Cipher.Algorithm.String())
	if newCipher == nil {
		return nil, nil, &UnsupportedError{What: "PBES2 cipher " + params.Cipher.Algorithm.String()}
	}
	var iv []byte
	if err := unmarshal(params.Cipher.Parameters.FullBytes, &iv, "cipher"); err != nil {
		return nil, nil, err
	}
	key, err := b.derive(params.KDF, password, size)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	block, err := newCipher(key)
	return block, iv, err
}

// cipherFor returns the block cipher and the length of its key.
func cipherFor(oid string) (func([]byte) (cipher.Block, error), int) {
	switch oid {
	case oidAES128CBC:
		return aes.NewCipher, 16
	case oidAES192CBC:
		return aes.NewCipher, 24
	case oidAES256CBC:
		return aes.NewCipher, 32
	case oidDESEDE3CBC:
		return des.NewTripleDESCipher, 24
	case oidDESCBC:
		return des.NewCipher, 8
	}
	return nil, 0
}

func (b *Budget) derive(kdf pkix.AlgorithmIdentifier, password []byte, size int) ([]byte, error) {
	switch oid := kdf.Algorithm.String(); oid {
	case OIDPBKDF2:
		return b.derivePBKDF2(kdf.Parameters.FullBytes, password, size)
	case oidScrypt:
		return b.deriveScrypt(kdf.Parameters.FullBytes, password, size)
	default:
		return nil, &UnsupportedError{What: "PBES2 key derivation " + oid}
	}
}

func (b *Budget) derivePBKDF2(der, password []byte, size int) ([]byte, error) {
	var params pbkdf2Params
	if err := unmarshal(der, &params, "PBKDF2"); err != nil {
		return nil, err
	}
	if params.Salt.Class != asn1.ClassUniversal || params.Salt.Tag != asn1.TagOctetString {
		return nil, &UnsupportedError{What: "PBKDF2 with a salt from elsewhere"}
	}
	if err := checkKeyLength(params.KeyLength, size); err != nil {
		return nil, err
	}
	return b.PBKDF2(params.PRF, password, Derivation{Salt: params.Salt.Bytes, Iterations: params.Iterations, Size: size})
}

// Derivation specifies what is derived from a password, apart from the algorithm.
type Derivation struct {
	Salt       []byte
	Iterations int
	Size       int // of the key, in bytes
}

// PBKDF2 derives a key with the pseudo-random function that prf names, HMAC-SHA-1 when it is
// empty (RFC 8018 appendix A.2).
func (b *Budget) PBKDF2(prf pkix.AlgorithmIdentifier, password []byte, d Derivation) ([]byte, error) {
	h := PRFHash(prf.Algorithm)
	if h == nil {
		return nil, &UnsupportedError{What: "PBKDF2 with " + prf.Algorithm.String()}
	}
	if err := b.spend(d.Iterations, blocks(d.Size, h().Size())); err != nil {
		return nil, err
	}
	return pbkdf2.Key(h, string(password), d.Salt, d.Iterations, d.Size)
}

// PRFHash returns the hash under an HMAC of RFC 8018 appendix B.1, nil for another algorithm.
func PRFHash(oid asn1.ObjectIdentifier) func() hash.Hash {
	switch oid.String() {
	case "", "1.2.840.113549.2.7":
		return sha1.New
	case "1.2.840.113549.2.8":
		return sha256.New224
	case "1.2.840.113549.2.9":
		return sha256.New
	case "1.2.840.113549.2.10":
		return sha512.New384
	case "1.2.840.113549.2.11":
		return sha512.New
	case "1.2.840.113549.2.12":
		return sha512.New512_224
	case "1.2.840.113549.2.13":
		return sha512.New512_256
	}
	return nil
}

// Bounds of scrypt: its memory is 128·r·(N+p+2) bytes, its work grows with N·r·p and, in the
// PBKDF2 at both ends, with r·p. They leave room above what anyone recommends for keys in
// files, where r is 8.
const (
	maxScryptMemory = 256 << 20 // for N; what is left is 1 MiB at most
	maxScryptSmall  = 1 << 13   // r·(p+2)
	maxScryptWork   = 1 << 23
)

func (b *Budget) deriveScrypt(der, password []byte, size int) ([]byte, error) {
	var params scryptParams
	if err := unmarshal(der, &params, "scrypt"); err != nil {
		return nil, err
	}
	if err := checkKeyLength(params.KeyLength, size); err != nil {
		return nil, err
	}
	if err := params.check(); err != nil {
		return nil, err
	}
	if err := b.spend(params.N*params.R*params.P, 1); err != nil {
		return nil, err
	}
	return scrypt.Key(password, params.Salt, params.N, params.R, params.P, size)
}

func (s scryptParams) check() error {
	const most = 1 << 30 // keeps the products below within 64 bits
	if s.N < 2 || s.N&(s.N-1) != 0 || s.R < 1 || s.P < 1 || s.N > most || s.R > most || s.P > most {
		return fmt.Errorf("scrypt parameters N=%d r=%d p=%d are not valid", s.N, s.R, s.P)
	}
	n, r, p := uint64(s.N), uint64(s.R), uint64(s.P)
	if 128*r*n > maxScryptMemory || r*(p+2) > maxScryptSmall || n*r*p > maxScryptWork {
		return fmt.Errorf("scrypt with N=%d r=%d p=%d asks for too much: at most %d MiB of memory, r·(p+2) = %d and N·r·p = %d are allowed",
			s.N, s.R, s.P, maxScryptMemory>>20, maxScryptSmall, maxScryptWork)
	}
	return nil
}

// checkKeyLength: the explicit length is optional, but has to be the cipher's.
func checkKeyLength(given, size int) error {
	if given != 0 && given != size {
		return fmt.Errorf("key derivation of %d bytes for a cipher that takes %d", given, size)
	}
	return nil
}
