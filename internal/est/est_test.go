package est

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

func TestIsLabel(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"routers": true, "a": true, "A-1._~": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a/b": false, ".": false, "..": false, "a b": false, "ä": false, "%41": false, "a\n": false,
		"cacerts": false, "csrattrs": false, "simpleenroll": false, "simplereenroll": false, "fullcmc": false, "serverkeygen": false, "Cacerts": true,
	} {
		if IsLabel(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

func certificate(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestCertsOnly: openssl reads the certificates out of the message, in either form of base64.
func TestCertsOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	message, err := CertsOnly(certificate(t, "web-01"), certificate(t, "the CA"))
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := base64.StdEncoding.DecodeString(string(Flat(message)))
	if err != nil || !bytes.Equal(decoded, message) {
		t.Fatalf("%v", err)
	}
	lines := "-----BEGIN PKCS7-----\n" + string(Wrapped(message)) + "-----END PKCS7-----\n"
	for name, data := range map[string][]byte{"DER": decoded, "PEM": []byte(lines)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		out := string(testenv.Run(t, dir, "openssl", "pkcs7", "-inform", name, "-in", name, "-print_certs", "-noout"))
		if !strings.Contains(out, "web-01") || !strings.Contains(out, "the CA") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestWrapped(t *testing.T) {
	t.Parallel()
	for n := range 200 {
		der := bytes.Repeat([]byte{7}, n)
		lines := Wrapped(der)
		if n > 0 && !bytes.HasSuffix(lines, []byte("\n")) || bytes.Contains(lines, []byte("\n\n")) || !bytes.Equal(bytes.ReplaceAll(lines, []byte("\n"), nil), Flat(der)) {
			t.Errorf("%d bytes: %q", n, lines)
		}
		for line := range bytes.SplitSeq(lines, []byte("\n")) {
			if len(line) > wrappedLine {
				t.Errorf("a line of %d", len(line))
			}
		}
	}
}

// made makes a request by openssl, with the lines of a section of attributes.
func made(t *testing.T, attributes string, args ...string) *x509.CertificateRequest {
	t.Helper()
	dir := t.TempDir()
	config := "oid_section = oids\n[oids]\nchangeSubjectName = 1.3.6.1.5.5.7.7.36\n[req]\nprompt = no\ndistinguished_name = dn\n"
	if attributes != "" {
		config += "attributes = attrs\n"
	}
	config += "[dn]\nCN = web-01\n[attrs]\n" + attributes
	if err := os.WriteFile(filepath.Join(dir, "c"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Run(t, dir, "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "k")
	der := testenv.Run(t, dir, "openssl", append([]string{"req", "-new", "-config", "c", "-key", "k", "-outform", "DER"}, args...)...)
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// TestReadAttributes: what openssl writes.
func TestReadAttributes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lines     string
		challenge string // "none": nil
		changes   bool
	}{
		"none":      {"", "none", false},
		"challenge": {"challengePassword = aGVsbG8=\n", "aGVsbG8=", false},
		"another":   {"unstructuredName = somebody\n", "none", false},
		"change":    {"changeSubjectName = web-02\n", "none", true},
		"all":       {"unstructuredName = somebody\nchallengePassword = aGVs\nchangeSubjectName = web-02\n", "aGVs", true},
	} {
		a, err := ReadAttributes(made(t, tt.lines, "-addext", "subjectAltName=DNS:web-01"))
		if err != nil || a.ChangesSubject != tt.changes || (a.Challenge == nil) != (tt.challenge == "none") || a.Challenge != nil && string(a.Challenge) != tt.challenge {
			t.Errorf("%s: %q %t, %v", name, a.Challenge, a.ChangesSubject, err)
		}
	}
}

// TestReadAttributes_damaged: bytes that are no attributes are an error, and nothing panics.
func TestReadAttributes_damaged(t *testing.T) {
	t.Parallel()
	csr := made(t, "challengePassword = aGVsbG8=\n")
	whole := csr.RawTBSCertificateRequest
	for n := range whole {
		if _, err := ReadAttributes(&x509.CertificateRequest{RawTBSCertificateRequest: whole[:n]}); err == nil {
			t.Errorf("the first %d bytes are read", n)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 0x55
		_, _ = ReadAttributes(&x509.CertificateRequest{RawTBSCertificateRequest: changed})
	}
}

// FuzzReadAttributes: whatever the bytes are, nothing panics, and a challenge that is read is in them.
func FuzzReadAttributes(f *testing.F) {
	f.Add([]byte{0x30, 0x09, 2, 1, 0, 0x30, 0, 0x30, 0, 0xa0, 0})
	f.Add([]byte("\x30\x1d\x02\x01\x00\x30\x00\x30\x00\xa0\x14\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x05\x0c\x03abc"))
	f.Fuzz(func(t *testing.T, info []byte) {
		a, err := ReadAttributes(&x509.CertificateRequest{RawTBSCertificateRequest: info})
		if err == nil && !bytes.Contains(info, a.Challenge) {
			t.Errorf("%q of %x", a.Challenge, info)
		}
	})
}

// TestRequestID: a request is another if its profile, its key, its subject or its extensions are; not if only
// the challengePassword is, or the signature.
func TestRequestID(t *testing.T) {
	t.Parallel()
	csr := made(t, "challengePassword = aGVsbG8=\n", "-addext", "subjectAltName=DNS:web-01")
	first := RequestID(csr, "web")
	other := *csr
	other.RawTBSCertificateRequest, other.Signature = nil, nil
	if RequestID(&other, "web") != first {
		t.Error("what is neither key nor name counts")
	}
	for name, change := range map[string]func(r *x509.CertificateRequest, profile *string){
		"profile": func(_ *x509.CertificateRequest, profile *string) { *profile = "" },
		"key": func(r *x509.CertificateRequest, _ *string) {
			r.RawSubjectPublicKeyInfo = made(t, "").RawSubjectPublicKeyInfo
		},
		"subject":   func(r *x509.CertificateRequest, _ *string) { r.RawSubject = r.RawSubject[:len(r.RawSubject)-1] },
		"extension": func(r *x509.CertificateRequest, _ *string) { r.Extensions = nil },
		"value": func(r *x509.CertificateRequest, _ *string) {
			r.Extensions = []pkix.Extension{{Id: r.Extensions[0].Id, Value: []byte{5, 0}}}
		},
	} {
		changed, profile := *csr, "web"
		change(&changed, &profile)
		if RequestID(&changed, profile) == first {
			t.Errorf("another %s has the same ID", name)
		}
	}
}
