package cadir

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"kedge/internal/hostfiles"
)

// NAME.pem is written again when it is missing or older than the ledger, and never when it is
// another authority's.
func TestCheckCertificate(t *testing.T) {
	t.Parallel()
	certificate := func(key *ecdsa.PrivateKey, serial int64) *x509.Certificate {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key := newKey()
	want, older, other := certificate(key, 2), certificate(key, 1), certificate(newKey(), 3)
	for _, tt := range []struct {
		name, warning, err string
		file               []byte // nil: none
	}{
		{"equal", "", "", hostfiles.CertificatePEM(want)},
		{"missing", "was missing, and was written again", "", nil},
		{"older", "was an older certificate, and was written again", "", hostfiles.CertificatePEM(older)},
		{"other", "", `is not the certificate that the ledger has of the authority "sub"`, hostfiles.CertificatePEM(other)},
		{"broken", "", "sub.pem: ", []byte("-----BEGIN CERTIFICATE-----\nAAAA")},
	} {
		f := Folder{Dir: t.TempDir()}
		path := f.CertificatePath("sub")
		if tt.file != nil {
			if err := os.WriteFile(path, tt.file, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		warning, err := f.CheckCertificate("sub", want)
		if !strings.Contains(warning, tt.warning) || (warning == "") != (tt.warning == "") {
			t.Errorf("%s: the warning is %q", tt.name, warning)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v", tt.name, err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if rewritten := string(got) == string(hostfiles.CertificatePEM(want)); rewritten != (tt.err == "") {
			t.Errorf("%s: the file is now\n%s", tt.name, got)
		}
	}
}
