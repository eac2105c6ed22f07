package pbe

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/sha1"
	"hash"
	"unicode/utf16"
	"unicode/utf8"
)

type oldParams struct {
	Salt       []byte
	Iterations int
}

// oldScheme reads what tools wrote before PBES2, and some still do. Nothing is written so.
func (b *Budget) oldScheme(oid string, der, password []byte) (cipher.Block, []byte, error) {
	switch oid {
	case "1.2.840.113549.1.5.3":
		return b.pbes1(md5.New, der, password)
	case "1.2.840.113549.1.5.10":
		return b.pbes1(sha1.New, der, password)
	case "1.2.840.113549.1.12.1.3":
		return b.pkcs12Cipher(der, password, 24, des.NewTripleDESCipher)
	case "1.2.840.113549.1.12.1.4":
		return b.pkcs12Cipher(der, password, 16, twoKeyTripleDES)
	case "1.2.840.113549.1.12.1.5":
		return b.pkcs12Cipher(der, password, 16, rc2)
	case "1.2.840.113549.1.12.1.6":
		return b.pkcs12Cipher(der, password, 5, rc2)
	case "1.2.840.113549.1.12.1.1", "1.2.840.113549.1.12.1.2":
		return nil, nil, &UnsupportedError{What: "RC4"}
	}
	return nil, nil, &UnsupportedError{What: "algorithm " + oid}
}

func rc2(key []byte) (cipher.Block, error) { return newRC2(key), nil }

func twoKeyTripleDES(key []byte) (cipher.Block, error) {
	return des.NewTripleDESCipher(append(key[:16:16], key[:8]...))
}

// pbes1 is RFC 8018 6.1 with DES: PBKDF1 gives the key and the vector.
func (b *Budget) pbes1(h func() hash.Hash, der, password []byte) (cipher.Block, []byte, error) {
	var params oldParams
	if err := unmarshal(der, &params, "PBES1"); err != nil {
		return nil, nil, err
	}
	if err := b.spend(params.Iterations, 1); err != nil {
		return nil, nil, err
	}
	hasher := h()
	hasher.Write(password)
	hasher.Write(params.Salt)
	t := hasher.Sum(nil)
	for range params.Iterations - 1 {
		hasher.Reset()
		hasher.Write(t)
		t = hasher.Sum(t[:0])
	}
	block, err := des.NewCipher(t[:8])
	return block, t[8:16], err
}

func (b *Budget) pkcs12Cipher(der, password []byte, size int, newCipher func([]byte) (cipher.Block, error)) (cipher.Block, []byte, error) {
	var params oldParams
	if err := unmarshal(der, &params, "PKCS#12 encryption"); err != nil {
		return nil, nil, err
	}
	d := Derivation{Salt: params.Salt, Iterations: params.Iterations, Size: size}
	key, err := b.PKCS12Key(sha1.New, PurposeKey, password, d)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	d.Size = 8
	iv, err := b.PKCS12Key(sha1.New, PurposeIV, password, d)
	if err != nil {
		return nil, nil, err
	}
	block, err := newCipher(key)
	return block, iv, err
}

// Purpose is the diversifier of RFC 7292 B.3.
type Purpose byte

// The three purposes.
const (
	PurposeKey Purpose = 1
	PurposeIV  Purpose = 2
	PurposeMAC Purpose = 3
)

// PKCS12Key is the key derivation of RFC 7292 B.2 with one of the SHA hashes. See Open for
// what a nil password means.
func (b *Budget) PKCS12Key(h func() hash.Hash, purpose Purpose, password []byte, d Derivation) ([]byte, error) {
	hasher := h()
	if err := b.spend(d.Iterations, blocks(d.Size, hasher.Size())); err != nil {
		return nil, err
	}
	v := hasher.BlockSize()
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = byte(purpose)
	}
	input := append(fill(d.Salt, v), fill(bmpString(password), v)...)
	defer clear(input)
	var out []byte
	for {
		hasher.Reset()
		hasher.Write(diversifier)
		hasher.Write(input)
		a := hasher.Sum(nil)
		for range d.Iterations - 1 {
			hasher.Reset()
			hasher.Write(a)
			a = hasher.Sum(a[:0])
		}
		out = append(out, a...)
		if len(out) >= d.Size {
			return out[:d.Size], nil
		}
		addToEach(input, fill(a, v)[:v])
	}
}

// fill repeats s to the next multiple of v bytes; nothing stays nothing.
func fill(s []byte, v int) []byte {
	out := make([]byte, (len(s)+v-1)/v*v)
	for i := range out {
		out[i] = s[i%len(s)]
	}
	return out
}

// addToEach adds b+1 to every block of the input, as big-endian numbers.
func addToEach(input, b []byte) {
	for ; len(input) > 0; input = input[len(b):] {
		carry := 1
		for i := len(b) - 1; i >= 0; i-- {
			carry += int(input[i]) + int(b[i])
			input[i] = byte(carry)
			carry >>= 8
		}
	}
}

// bmpString is the password in UTF-16 with its terminating zero (RFC 7292 B.1). Bytes that
// are not UTF-8 are taken as Latin-1, as OpenSSL does.
func bmpString(password []byte) []byte {
	if password == nil {
		return nil
	}
	var runes []rune
	if utf8.Valid(password) {
		runes = []rune(string(password))
	} else {
		for _, b := range password {
			runes = append(runes, rune(b))
		}
	}
	var out []byte
	for _, unit := range utf16.Encode(runes) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return append(out, 0, 0)
}
