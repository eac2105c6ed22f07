package pkcs12_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	gopkcs12 "software.sslmate.com/src/go-pkcs12"

	"kedge/internal/pbe"
	"kedge/internal/pkcs12"
)

// sample is a file made by an encoder that shares no code with the reader.
type sample struct {
	file, key, cert []byte
}

func encode(tb testing.TB, encoder *gopkcs12.Encoder, password string) sample {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	file, err := encoder.Encode(key, cert, nil, password)
	if err != nil {
		tb.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return sample{file, pkcs8, der}
}

func ask(password string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(password), nil }
}

func (s sample) check(t *testing.T, got *pkcs12.Contents, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 1 || !bytes.Equal(got.Keys[0], s.key) || len(got.Certificates) != 1 || !bytes.Equal(got.Certificates[0], s.cert) {
		t.Errorf("%d keys and %d certificates, or others", len(got.Keys), len(got.Certificates))
	}
}

func TestParseOtherEncoder(t *testing.T) {
	t.Parallel()
	for name, encoder := range map[string]*gopkcs12.Encoder{
		"RC2": gopkcs12.LegacyRC2, "DES": gopkcs12.LegacyDES, "2023": gopkcs12.Modern2023, "PBMAC1": gopkcs12.Modern2026,
	} {
		for _, password := range []string{"", "secret", "пароль 🔑"[:12]} {
			t.Run(name+" "+password, func(t *testing.T) {
				t.Parallel()
				s := encode(t, encoder, password)
				got, err := pkcs12.Parse(s.file, ask(password))
				s.check(t, got, err)
				if password == "" {
					return
				}
				if _, err := pkcs12.Parse(s.file, ask("wrong")); !errors.Is(err, pbe.ErrWrongPassword) {
					t.Errorf("wrong password: %v", err)
				}
			})
		}
	}
	s := encode(t, gopkcs12.Passwordless, "")
	got, err := pkcs12.Parse(s.file, nil)
	s.check(t, got, err)
}

// TestParseBER writes a file again with indefinite lengths and octet strings in pieces, as
// NSS and Keychain do.
func TestParseBER(t *testing.T) {
	t.Parallel()
	for _, encoder := range []*gopkcs12.Encoder{gopkcs12.Passwordless, gopkcs12.Modern2023} {
		s := encode(t, encoder, "")
		got, err := pkcs12.Parse(toBER(t, s.file), ask(""))
		s.check(t, got, err)
	}
}

func toBER(t *testing.T, der []byte) []byte {
	t.Helper()
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		t.Fatal(err)
	}
	end := []byte{0, 0}
	if v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString && len(v.Bytes) > 40 && len(v.Bytes) < 20000 {
		out := []byte{0x24, 0x80}
		for _, piece := range [][]byte{v.Bytes[:20], v.Bytes[20:]} {
			whole, err := asn1.Marshal(piece)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, whole...)
		}
		return append(out, end...)
	}
	if !v.IsCompound {
		return v.FullBytes
	}
	out := []byte{v.FullBytes[0], 0x80}
	for rest := v.Bytes; len(rest) > 0; {
		var member asn1.RawValue
		next, err := asn1.Unmarshal(rest, &member)
		if err != nil {
			t.Fatal(err)
		}
		out, rest = append(out, toBER(t, member.FullBytes)...), next
	}
	return append(out, end...)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := encode(t, gopkcs12.LegacyDES, "secret").file
	change := func(old, with []byte) []byte { return bytes.Replace(good, old, with, 1) }
	sha1 := []byte{0x2b, 0x0e, 0x03, 0x02, 0x1a}
	noPassword := errors.New("no password")
	for _, tt := range []struct {
		name    string
		data    []byte
		wantErr string
	}{
		{"empty", nil, "malformed PKCS#12: truncated or not BER"},
		{"cut", good[:100], "malformed PKCS#12: truncated or not BER"},
		{"trailing", append(bytes.Clone(good), 0), "malformed PKCS#12: 1 bytes follow its end"},
		{"no contents", []byte{0x30, 0x80, 0, 0}, "malformed PKCS#12: its parts are not what RFC 7292 has there"},
		{"version 4", change([]byte{2, 1, 3}, []byte{2, 1, 4}), "PKCS#12 version 4, only 3 is defined"},
		{"signed", change([]byte{0xf7, 0x0d, 1, 7, 1}, []byte{0xf7, 0x0d, 1, 7, 2}), "encrypted with PKCS#12 integrity by a signature, which is not supported"},
		{"unknown MAC", change(sha1, []byte{0x2b, 0x0e, 0x03, 0x02, 0x1b}), "encrypted with PKCS#12 MAC 1.3.14.3.2.27, which is not supported"},
		{"no password", good, "no password"},
		{"deep", bytes.Repeat([]byte{0x30, 0x80}, 1000), "malformed PKCS#12: truncated or not BER"},
	} {
		_, err := pkcs12.Parse(tt.data, func() ([]byte, error) { return nil, noPassword })
		if err == nil || err.Error() != tt.wantErr {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.wantErr)
		}
	}
}

// FuzzPKCS12: no input panics, and what opens without a password opens again the same way.
func FuzzPKCS12(f *testing.F) {
	for _, encoder := range []*gopkcs12.Encoder{gopkcs12.Passwordless, gopkcs12.LegacyRC2.WithIterations(1), gopkcs12.Modern2026.WithIterations(1)} {
		f.Add(encode(f, encoder, "").file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte{2, 3}) || bytes.Contains(data, []byte{2, 4}) {
			return // may be many iterations: allowed, but a fuzzer has no seconds for one input
		}
		got, err := pkcs12.Parse(data, ask("secret"))
		if err != nil {
			return
		}
		again, err := pkcs12.Parse(data, ask("secret"))
		if err != nil || len(again.Keys) != len(got.Keys) || len(again.Certificates) != len(got.Certificates) {
			t.Fatalf("read again: %v", err)
		}
	})
}
