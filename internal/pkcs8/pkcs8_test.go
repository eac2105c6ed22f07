package pkcs8_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"kedge/internal/pkcs8"
	"kedge/internal/testenv"
)

func newKey(tb testing.TB) []byte {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func publicOf(t *testing.T, der []byte) []byte {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.(*ecdsa.PrivateKey).Public())
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// TestEncryptForOpenSSL: OpenSSL opens what Encrypt seals, and so does Decrypt.
func TestEncryptForOpenSSL(t *testing.T) {
	t.Parallel()
	der := newKey(t)
	sealed, err := pkcs8.Encrypt(der, []byte("pässword"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	data := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: sealed})
	if err := os.WriteFile(filepath.Join(dir, "key"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	got := testenv.Run(t, dir, "openssl", "pkey", "-in", "key", "-passin", "pass:pässword", "-pubout", "-outform", "DER")
	if !bytes.Equal(got, publicOf(t, der)) {
		t.Error("OpenSSL read another key")
	}
	if opened, err := pkcs8.Decrypt(sealed, []byte("pässword")); err != nil || !bytes.Equal(opened, der) {
		t.Errorf("Decrypt: %v", err)
	}
	if _, err := pkcs8.Decrypt(sealed, []byte("wrong")); !errors.Is(err, pkcs8.ErrWrongPassword) {
		t.Errorf("wrong password: %v", err)
	}
}

// pbkdf2Params and the types below write PBES2 with parameters that no tool would.
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

type encrypted struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

func algorithm(tb testing.TB, oid asn1.ObjectIdentifier, params any) pkix.AlgorithmIdentifier {
	tb.Helper()
	der, err := asn1.Marshal(params)
	if err != nil {
		tb.Fatal(err)
	}
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}
}

func oids() (pbes2, pbkdf2, scrypt, aes256, hmacSHA256 asn1.ObjectIdentifier) {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12},
		asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42},
		asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
}

func seal(tb testing.TB, kdf, cipher pkix.AlgorithmIdentifier, data []byte) []byte {
	tb.Helper()
	oid, _, _, _, _ := oids()
	der, err := asn1.Marshal(encrypted{algorithm(tb, oid, struct{ KDF, Cipher pkix.AlgorithmIdentifier }{kdf, cipher}), data})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func TestDecryptExplicitKeyLength(t *testing.T) {
	t.Parallel()
	_, pbkdf2OID, _, aesOID, prf := oids()
	plain, iv, salt := newKey(t), make([]byte, 16), []byte("saltsalt")
	key, err := pbkdf2.Key(sha256.New, "secret", salt, 1000, 32)
	if err != nil {
		t.Fatal(err)
	}
	data := encryptCBC(t, key, iv, plain)
	for length, wantErr := range map[int]string{
		0: "", 32: "", 16: "key derivation of 16 bytes for a cipher that takes 32",
	} {
		kdf := algorithm(t, pbkdf2OID, pbkdf2Params{salt, 1000, length, pkix.AlgorithmIdentifier{Algorithm: prf, Parameters: asn1.NullRawValue}})
		got, err := pkcs8.Decrypt(seal(t, kdf, algorithm(t, aesOID, iv), data), []byte("secret"))
		if wantErr == "" && (err != nil || !bytes.Equal(got, plain)) {
			t.Errorf("keyLength %d: %v", length, err)
		}
		if wantErr != "" && (err == nil || err.Error() != wantErr) {
			t.Errorf("keyLength %d: error %v, want %q", length, err, wantErr)
		}
	}
}

func TestDecryptRefuses(t *testing.T) {
	t.Parallel()
	_, pbkdf2OID, scryptOID, aesOID, _ := oids()
	iv, block := make([]byte, 16), make([]byte, 16)
	aes := algorithm(t, aesOID, iv)
	withScrypt := func(n, r, p int) []byte {
		return seal(t, algorithm(t, scryptOID, scryptParams{Salt: iv, N: n, R: r, P: p}), aes, block)
	}
	withPBKDF2 := func(p pbkdf2Params) []byte { return seal(t, algorithm(t, pbkdf2OID, p), aes, block) }
	good := algorithm(t, pbkdf2OID, pbkdf2Params{Salt: iv, Iterations: 1})
	const tooMuch = " asks for too much: at most 256 MiB of memory, r·(p+2) = 8192 and N·r·p = 8388608 are allowed"
	for _, tt := range []struct {
		name    string
		der     []byte
		wantErr string
	}{
		{"empty", nil, "malformed encrypted private key"},
		{"too many iterations", withPBKDF2(pbkdf2Params{Salt: iv, Iterations: 10_000_001}), "key derivation of 10000001 iterations, must be 1 to 5000000"},
		{"no iterations", withPBKDF2(pbkdf2Params{Salt: iv}), "key derivation of 0 iterations, must be 1 to 5000000"},
		{"negative iterations", withPBKDF2(pbkdf2Params{Salt: iv, Iterations: -1}), "key derivation of -1 iterations, must be 1 to 5000000"},
		{"unknown PRF", withPBKDF2(pbkdf2Params{iv, 1, 0, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}}), "encrypted with PBKDF2 with 1.2.3, which is not supported"},
		{"scrypt memory", withScrypt(1<<22, 8, 1), "scrypt with N=4194304 r=8 p=1" + tooMuch},
		{"scrypt memory by r", withScrypt(2, 1<<29, 1), "scrypt with N=2 r=536870912 p=1" + tooMuch},
		{"scrypt memory by r and p", withScrypt(2, 1<<20, 2), "scrypt with N=2 r=1048576 p=2" + tooMuch},
		{"scrypt memory by p", withScrypt(2, 8, 1<<18), "scrypt with N=2 r=8 p=262144" + tooMuch},
		{"scrypt work", withScrypt(1<<17, 8, 100), "scrypt with N=131072 r=8 p=100" + tooMuch},
		{"scrypt overflow", withScrypt(1<<60, 1<<60, 1), "scrypt parameters N=1152921504606846976 r=1152921504606846976 p=1 are not valid"},
		{"scrypt N", withScrypt(1000, 8, 1), "scrypt parameters N=1000 r=8 p=1 are not valid"},
		{"scrypt r", withScrypt(1024, 0, 1), "scrypt parameters N=1024 r=0 p=1 are not valid"},
		{"unknown KDF", seal(t, algorithm(t, asn1.ObjectIdentifier{1, 2, 3}, iv), aes, block), "encrypted with PBES2 key derivation 1.2.3, which is not supported"},
		{"unknown cipher", seal(t, good, algorithm(t, asn1.ObjectIdentifier{1, 2, 3}, iv), block), "encrypted with PBES2 cipher 1.2.3, which is not supported"},
		{"short IV", seal(t, good, algorithm(t, aesOID, iv[:8]), block), "initialization vector of 8 bytes, must be 16"},
		{"no data", seal(t, good, aes, nil), "encrypted data of 0 bytes, must be a multiple of 16"},
		{"odd data", seal(t, good, aes, block[:15]), "encrypted data of 15 bytes, must be a multiple of 16"},
		{"KDF parameters", seal(t, algorithm(t, pbkdf2OID, 5), aes, block), "malformed PBKDF2 parameters"},
		{"salt from elsewhere", seal(t, algorithm(t, pbkdf2OID, struct {
			Salt       pkix.AlgorithmIdentifier
			Iterations int
		}{good, 1}), aes, block), "encrypted with PBKDF2 with a salt from elsewhere, which is not supported"},
	} {
		if _, err := pkcs8.Decrypt(tt.der, []byte("secret")); err == nil || err.Error() != tt.wantErr {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.wantErr)
		}
	}
}

func TestDecryptUnsupportedIsTyped(t *testing.T) {
	t.Parallel()
	der, err := asn1.Marshal(encrypted{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 1}}, []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = pkcs8.Decrypt(der, nil)
	if unsupported, ok := errors.AsType[*pkcs8.UnsupportedError](err); !ok || unsupported.What != "RC4" {
		t.Errorf("error %v, want UnsupportedError for RC4", err)
	}
}

// TestDecryptWithoutPassword: an absent password is the empty one.
func TestDecryptWithoutPassword(t *testing.T) {
	t.Parallel()
	der := newKey(t)
	sealed, err := pkcs8.Encrypt(der, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := pkcs8.Decrypt(sealed, []byte{}); err != nil || !bytes.Equal(got, der) {
		t.Errorf("empty for absent: %v", err)
	}
}
