package pkcs8_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"kedge/internal/pkcs8"
)

func encryptCBC(tb testing.TB, key, iv, plain []byte) []byte {
	tb.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		tb.Fatal(err)
	}
	n := 16 - len(plain)%16
	data := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	return data
}

// FuzzPKCS8: what opens is a key that is sealed and opened again as the same bytes.
func FuzzPKCS8(f *testing.F) {
	_, pbkdf2OID, scryptOID, aesOID, prf := oids()
	iv := make([]byte, 16)
	aes256 := algorithm(f, aesOID, iv)
	f.Add(seal(f, algorithm(f, pbkdf2OID, pbkdf2Params{iv, 1, 32, pkix.AlgorithmIdentifier{Algorithm: prf}}), aes256, make([]byte, 64)))
	f.Add(seal(f, algorithm(f, scryptOID, scryptParams{Salt: iv, N: 2, R: 1, P: 1}), aes256, make([]byte, 64)))
	for last := 1; last <= 6; last++ {
		oid := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, last}
		der, err := asn1.Marshal(encrypted{algorithm(f, oid, struct {
			Salt       []byte
			Iterations int
		}{iv, 2}), make([]byte, 64)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if expensive(der) {
			return // allowed, but a fuzzer has no seconds for one input
		}
		plain, err := pkcs8.Decrypt(der, []byte("secret"))
		if err != nil {
			return
		}
		sealed, err := pkcs8.Encrypt(plain, []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := pkcs8.Decrypt(sealed, []byte("secret")); err != nil || !bytes.Equal(again, plain) {
			t.Fatalf("opened again: %v", err)
		}
	})
}

// expensive reports whether the data has an integer that may be a large cost.
func expensive(der []byte) bool {
	for i := range der {
		if i+1 < len(der) && der[i] == asn1.TagInteger && der[i+1] > 2 && der[i+1] < 9 {
			return true
		}
	}
	return false
}
