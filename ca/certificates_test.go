package ca

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/pemread"
)

// TestParseCertificates: certificates in the coats that programs give them, with other
// things beside them.
func TestParseCertificates(t *testing.T) {
	t.Parallel()
	a, b := newRoot(t, time.Hour).Certificate(), newRoot(t, time.Hour).Certificate()
	block := func(label string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	both := block("CERTIFICATE", a.Raw) + block("X509 CERTIFICATE", b.Raw)
	for what, data := range map[string]string{
		"PEM": both, "UTF-8 mark": "\xef\xbb\xbf" + both, "DER": string(a.Raw) + string(b.Raw),
		"base64 of PEM": base64.StdEncoding.EncodeToString([]byte(both)),
		"a broken key":  "-----BEGIN PRIVATE KEY-----\n???\n-----END PRIVATE KEY-----" + both,
		"a request":     block("CERTIFICATE REQUEST", csrOf(t, newKey(t), &x509.CertificateRequest{}).Raw) + both,
	} {
		certs, err := ParseCertificates([]byte(data))
		if err != nil || len(certs) != 2 || !certs[0].Equal(a) || !certs[1].Equal(b) {
			t.Errorf("%s: %d certificates, %v", what, len(certs), err)
		}
	}
}

// brokenInputs returns inputs that crypto/x509 and encoding/asn1 refuse, by the expected error.
func brokenInputs(t *testing.T) map[string][]byte {
	t.Helper()
	cert := newRoot(t, time.Hour).Certificate()
	raw := cert.Raw
	swap := func(old, with []byte) []byte {
		if out := bytes.Replace(raw, old, with, 1); !bytes.Equal(out, raw) {
			return out
		}
		t.Fatalf("%x is not in the certificate", old)
		return nil
	}
	serial := cert.SerialNumber.Bytes()
	negative := slices.Clone(serial)
	negative[0] |= 0x80
	if serial[0]&0x80 != 0 { // it stands behind a zero, which makes it positive
		serial, negative = append([]byte{0}, serial...), append([]byte{0xff}, serial...)
	}
	curve := []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}
	secp256k1ish := []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1} // P-192
	off := slices.Clone(cert.RawSubjectPublicKeyInfo)
	off[len(off)-1] ^= 1
	return map[string][]byte{
		"there is no certificate: it is empty":                         nil,
		"there is no certificate: it is an HTML page":                  []byte("<html>"),
		"there is no certificate: it is cut short: ":                   raw[:len(raw)-1],
		"the certificate cannot be read: its version is not ":          swap([]byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 7}),
		"the certificate cannot be read: its serial number is negativ": swap(append([]byte{2, byte(len(serial))}, serial...), append([]byte{2, byte(len(serial))}, negative...)),
		"the certificate cannot be read: its issuer ":                  swap([]byte("\x13\x07Test CA"), []byte("\x13\x07Test_CA")),
		"the certificate cannot be read: the curve P-192 cannot be us": swap(curve, secp256k1ish),
		"the certificate cannot be read: its key is damaged":           swap(cert.RawSubjectPublicKeyInfo, off),
		"the certificate cannot be read: its validity, one of its ext": swap([]byte{6, 3, 0x55, 0x1d, 0x0f, 1, 1, 0xff}, []byte{6, 3, 0x55, 0x1d, 0x13, 1, 1, 0xff}),
		"there is a private key, not a certificate":                    []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
		"there is a certificate request, not a certificate":            csrOf(t, newKey(t), &x509.CertificateRequest{}).Raw,
		"it is a PKCS #7 bundle; take the certificates out of it: ":    {0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0},
		"it is a PKCS #12 file; take the certificates out of it: ":     {0x30, 5, 2, 1, 3, 0x30, 0},
	}
}

// TestParseCertificates_named: errors name the fault in words of this package.
func TestParseCertificates_named(t *testing.T) {
	t.Parallel()
	for want, data := range brokenInputs(t) {
		_, err := ParseCertificates(data)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		noRawText(t, err)
		_, err = ParseCSR(data)
		if err == nil && !strings.HasPrefix(want, "there is a certificate request") {
			t.Errorf("%s: a request", want)
		}
		noRawText(t, err)
	}
	_, err := ParseCertificates([]byte("<html>"))
	if wrong, ok := errors.AsType[*pemread.Error](err); !ok || wrong.Reason != pemread.Foreign {
		t.Errorf("%#v", err)
	}
}

func noRawText(t *testing.T, err error) {
	t.Helper()
	if err != nil && (strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "asn1:") || strings.Contains(err.Error(), "structure error")) {
		t.Errorf("text of a parser: %v", err)
	}
}

// TestNoRawText: each byte of a certificate, of a request and of a CRL is changed in turn, and no
// error contains the text of a parser.
func TestNoRawText(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	csr := csrOf(t, newKey(t), &x509.CertificateRequest{DNSNames: []string{"a.example.com"}}).Raw
	for i := range root.Certificate().Raw {
		for _, mask := range []byte{1, 0x80} {
			data := slices.Clone(root.Certificate().Raw)
			data[i] ^= mask
			_, err := ParseCertificates(data)
			noRawText(t, err)
		}
	}
	for i := range csr {
		for _, mask := range []byte{1, 0x80} {
			data := slices.Clone(csr)
			data[i] ^= mask
			parsed, err := ParseCSR(data)
			noRawText(t, err)
			if err == nil {
				_, _, err = DefaultProfile().FromCSR(parsed, CSROptions{})
				noRawText(t, err)
			}
		}
	}
}

// TestParseCertificates_unreadable: one that cannot be read is named by its number, and the others stay.
func TestParseCertificates_unreadable(t *testing.T) {
	t.Parallel()
	good := newRoot(t, time.Hour).Certificate()
	version := bytes.Replace(good.Raw, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 9}, 1)
	text := func(blocks ...[]byte) (out []byte) {
		for _, der := range blocks {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		return out
	}
	for _, tt := range []struct {
		data  []byte
		certs int
		want  string
	}{
		{text(good.Raw, version, good.Raw), 2, "certificate 2 in it cannot be read: its version is not one of 1, 2 and 3"},
		{text(version), 0, "the certificate cannot be read: its version is not one of 1, 2 and 3"},
		{text(version, version), 0, "certificate 1 in it cannot be read: its version is not one of 1, 2 and 3; certificate 2 in it cannot be read: its version is not one of 1, 2 and 3"},
	} {
		certs, err := ParseCertificates(tt.data)
		if _, ok := errors.AsType[*UnreadableError](err); !ok || len(certs) != tt.certs || err.Error() != tt.want {
			t.Errorf("%d, %v", len(certs), err)
		}
	}
}
