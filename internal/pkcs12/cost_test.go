package pkcs12_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"

	gopkcs12 "software.sslmate.com/src/go-pkcs12"

	"kedge/internal/pkcs12"
)

func raw(t *testing.T, v any) asn1.RawValue {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{FullBytes: der}
}

// withMAC is an empty file with a MAC that no password opens.
func withMAC(t *testing.T, algorithm pkix.AlgorithmIdentifier, iterations int) []byte {
	t.Helper()
	type digest struct {
		Algorithm pkix.AlgorithmIdentifier
		Value     []byte
	}
	type mac struct {
		Digest     digest
		Salt       []byte
		Iterations int
	}
	type content struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	safe := asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: raw(t, []byte{0x30, 0}).FullBytes}
	return raw(t, struct {
		Version int
		Safe    content
		MAC     mac
	}{3, content{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, safe}, mac{digest{algorithm, make([]byte, 32)}, []byte("salt"), iterations}}).FullBytes
}

func pbmac1(t *testing.T, iterations, keyLength int) pkix.AlgorithmIdentifier {
	t.Helper()
	kdf := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, Parameters: raw(t, struct {
		Salt                  []byte
		Iterations, KeyLength int
	}{[]byte("salt"), iterations, keyLength})}
	mac := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}}
	return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14},
		Parameters: raw(t, struct{ KDF, MAC pkix.AlgorithmIdentifier }{kdf, mac})}
}

// Iterations are refused before they are made, so a bound that does not hold shows as a test
// that does not end.
func TestParseBoundsMACWork(t *testing.T) {
	t.Parallel()
	sha256 := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}
	for _, tt := range []struct {
		name    string
		file    []byte
		wantErr string
	}{
		{"a long key is many derivations", withMAC(t, pbmac1(t, 10_000_000, 128), 1), "key derivation of 10000000 iterations, must be 1 to 1428571"},
		{"a key longer than any HMAC takes", withMAC(t, pbmac1(t, 1, 129), 1), "PBMAC1 key length out of range"},
		{"a key shorter than RFC 9579 wants", withMAC(t, pbmac1(t, 1, 19), 1), "PBMAC1 key length out of range"},
		{"PKCS#12 derivation", withMAC(t, sha256, 10_000_001), "key derivation of 10000001 iterations, must be 1 to 10000000"},
	} {
		if _, err := pkcs12.Parse(tt.file, ask("x")); err == nil || !strings.Contains(err.Error(), tt.wantErr) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.wantErr)
		}
	}
}

// All parts and passwords share one budget. Here each of the three derivations for MAC and
// the passwords "none", "" and "x" is allowed, but not all of them.
func TestParseBoundsWorkOverTheFile(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes 14 million iterations")
	}
	sha256 := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}
	_, err := pkcs12.Parse(withMAC(t, sha256, 7_000_000), ask("x"))
	if err == nil || err.Error() != "key derivations of more than 20000000 iterations altogether" {
		t.Errorf("got %v", err)
	}
}

// What OWASP recommends for PBKDF2 is open to every kind of file, whatever it takes to find
// the password.
func TestParseOrdinaryIterations(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes millions of iterations")
	}
	for _, encoder := range []*gopkcs12.Encoder{gopkcs12.LegacyDES, gopkcs12.Modern2023, gopkcs12.Modern2026} {
		s := encode(t, encoder.WithIterations(600_000), "secret")
		got, err := pkcs12.Parse(s.file, ask("secret"))
		s.check(t, got, err)
	}
}
