package ca

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// FuzzLint: whatever parses can be linted, alone and as its own issuer, with the same answer
// each time; no finding is empty, and every finding is of a rule that there is.
func FuzzLint(f *testing.F) {
	f.Add(selfSigned(f))
	for _, der := range certificatesBelow(f, filepath.Join(testenv.Root(f), "internal", "emulator", "testdata")) {
		f.Add(der)
	}
	known := map[string]rule{}
	for r := range rules() {
		known[r.name] = r
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, issuers := range [][]*x509.Certificate{nil, {cert}, {cert, cert, cert, cert, cert, cert, cert}} {
			findings := Lint(cert, issuers)
			if again := Lint(cert, issuers); !reflect.DeepEqual(findings, again) {
				t.Fatalf("%+v, then %+v", findings, again)
			}
			for _, finding := range findings {
				if r, ok := known[finding.Rule]; !ok || finding.Severity != r.severity || finding.Text == "" || finding.Source == "" {
					t.Fatalf("%+v", finding)
				}
			}
		}
		if id := SourceIdentity(cert); !strings.HasPrefix(id, "CN=") && !strings.HasPrefix(id, "ID=") && id != cert.Subject.CommonName {
			t.Fatalf("source identity %q", id)
		}
	})
}

// selfSigned has every kind of name and extension that lint checks.
func selfSigned(tb testing.TB) []byte {
	tb.Helper()
	key := newKey(tb)
	names := []byte{0x30, 0x14, 0x82, 1, 'a', 0xa4, 0x0f, 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 3, 12, 2, 'b', '!'} // DNS:a, dirName:CN=b!
	template := &x509.Certificate{
		SerialNumber: big.NewInt(5), NotBefore: noon, NotAfter: noon.Add(time.Hour),
		Subject:  pkix.Name{CommonName: "a & b", Organization: []string{"x", "y"}},
		IsCA:     true,
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, MaxPathLen: 1, SubjectKeyId: []byte{1, 2, 3},
		ExtraExtensions: []pkix.Extension{{Id: oidSubjectAltName, Value: names}, {Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// certificatesBelow reads the certificates of every PEM file below dir.
func certificatesBelow(tb testing.TB, dir string) [][]byte {
	tb.Helper()
	var found [][]byte
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pem" {
			return err
		}
		data, err := os.ReadFile(path)
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "CERTIFICATE" {
				found = append(found, block.Bytes)
			}
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found
}
