package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
)

// prime returns a prime of so many bits whose two highest are set.
func prime(t *testing.T, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rocaModulus has the structure that the faulty generator leaves: it is a power of 65537
// modulo the product of the first 39 primes. Nobody needs its factors here.
func rocaModulus(t *testing.T) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for p := int64(2); p <= 167; p++ {
		if isPrime(int(p)) {
			m.Mul(m, big.NewInt(p))
		}
	}
	for {
		a := prime(t, 200)
		n := new(big.Int).Exp(big.NewInt(65537), a, m)
		k := prime(t, 2048-m.BitLen())
		n.Add(n, new(big.Int).Mul(k, m))
		if n.BitLen() == 2048 && smallFactor(n) == 0 {
			return n
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	p := prime(t, 1024)
	next := new(big.Int).Add(p, big.NewInt(2))
	for !next.ProbablyPrime(20) {
		next.Add(next, big.NewInt(2))
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := keyOf(t, "RSA-2048").Public().(*rsa.PublicKey)
	e := func(e int) *rsa.PublicKey { return &rsa.PublicKey{N: good.N, E: e} }
	n := func(n *big.Int) *rsa.PublicKey { return &rsa.PublicKey{N: n, E: 65537} }
	long := func(bits uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), bits-1) }
	tests := []struct {
		name   string
		public crypto.PublicKey
		want   string
	}{
		{"another exponent", e(65539), ""},
		{"none", nil, "there is no public key, or one of an unknown type"},
		{"Ed25519", ed25519.PublicKey(make([]byte, 32)), "a key of type ed25519.PublicKey cannot be used; take RSA, EC or ML-DSA"},
		{"P-224", &p224.PublicKey, "the curve P-224 cannot be used; take P-256, P-384 or P-521"},
		{"no curve", &ecdsa.PublicKey{}, "an EC key without a curve"},
		//lint:ignore SA1019 nothing newer makes such a key
		{"off the curve", &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}, "the EC key is not a point of its curve"},
		{"no modulus", &rsa.PublicKey{E: 65537}, "an RSA key without a modulus"},
		{"1024 bits", n(long(1024)), "an RSA key of 1024 bits is too short; take 2048 to 4096"},
		{"2047 bits", n(long(2047)), "an RSA key of 2047 bits is too short; take 2048 to 4096"},
		{"2049 bits", n(long(2049)), "an RSA key of 2049 bits does not fill its bytes; take 2048, 3072 or 4096"},
		{"4104 bits", n(long(4104)), "an RSA key of 4104 bits is too long; take 2048 to 4096"},
		{"e = 3", e(3), "the RSA exponent 3 is too small; take 65537"},
		{"e = 1", e(1), "the RSA exponent 1 is too small; take 65537"},
		{"e even", e(65538), "the RSA exponent 65538 is even"},
		{"e too large", e(1<<31 + 1), "the RSA exponent 2147483649 is too large; take 65537"},
		{"small factor", n(new(big.Int).Mul(big.NewInt(751), prime(t, 2038))), "the RSA modulus is divisible by 751; make another key"},
		{"even modulus", n(long(2048)), "the RSA modulus is divisible by 2; make another key"},
		{"close primes", n(new(big.Int).Mul(p, next)), "the primes of the RSA key are so close that it can be factored; make another key"},
		{"a square", n(new(big.Int).Mul(p, p)), "the primes of the RSA key are so close that it can be factored; make another key"},
		{"ROCA", n(rocaModulus(t)), "the RSA key was made by the faulty generator of CVE-2017-15361 (ROCA); make another key"},
	}
	for _, tt := range tests {
		err := CheckKey(tt.public)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestIsSquare(t *testing.T) {
	t.Parallel()
	squares := map[int64]bool{}
	for x := range int64(200) {
		squares[x*x] = true
	}
	for n := range int64(200 * 200) {
		if got := isSquare(big.NewInt(n)); got != squares[n] {
			t.Fatalf("isSquare(%d) = %v", n, got)
		}
	}
}

// The hash of a key depends on the key, not on its encoding or label in a certificate.
func TestKeyHash(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const plain = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00" // rsaEncryption, NULL
	labelled := func(key *rsa.PrivateKey, algorithm string) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(bytes.Replace(der, []byte(plain), []byte(algorithm), 1))
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	want := KeyHash(labelled(key, plain))
	for what, algorithm := range map[string]string{
		"id-RSASSA-PSS with parameters": "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00",
		"id-RSASSA-PSS with NULL":       "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x05\x00",
	} {
		cert := labelled(key, algorithm)
		if cert.PublicKey != nil || KeyHash(cert) != want {
			t.Errorf("%s: %x, key of type %T; want %x", what, KeyHash(cert), cert.PublicKey, want)
		}
		if KeyHash(labelled(other, algorithm)) == want {
			t.Errorf("%s: another key has the same hash", what)
		}
	}
}
