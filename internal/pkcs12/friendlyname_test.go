package pkcs12_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	peer "software.sslmate.com/src/go-pkcs12"

	"kedge/internal/pkcs12"
)

// TestSetFriendlyName: nothing but the name is added, the MAC is right, and the password stays the
// same, whatever it holds.
func TestSetFriendlyName(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web-01"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	data, err := peer.LegacyRC2.Encode(key, cert, nil, "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pkcs12.SetFriendlyName(data, []byte("hunter2"), "x"); err == nil {
		t.Error("RC2 is written")
	}
	for _, encoder := range []*peer.Encoder{peer.Modern, peer.LegacyDES} {
		for _, password := range []string{"hunter2", "pässwörd €", "x"} {
			data, err := encoder.Encode(key, cert, []*x509.Certificate{cert}, password)
			if err != nil {
				t.Fatal(err)
			}
			named, err := pkcs12.SetFriendlyName(data, []byte(password), "Büro €")
			if err != nil {
				t.Fatal(err)
			}
			got, chainCert, chain, err := peer.DecodeChain(named, password)
			if err != nil || !key.Equal(got) || !chainCert.Equal(cert) || len(chain) != 1 {
				t.Errorf("%q: %v", password, err)
			}
			contents, err := pkcs12.Parse(named, func() ([]byte, error) { return []byte(password), nil })
			if err != nil || len(contents.Keys) != 1 || len(contents.Certificates) != 2 {
				t.Errorf("%q: %+v, %v", password, contents, err)
			}
			if _, err := pkcs12.SetFriendlyName(data, []byte("wrong"), "x"); err == nil {
				t.Errorf("%q: another password is taken", password)
			}
			if bytes.Contains(data, []byte("\x00B\x00\xfc\x00r\x00o")) || !bytes.Contains(named, []byte("\x00B\x00\xfc\x00r\x00o\x00 \x20\xac")) {
				t.Errorf("%q: the name is not there", password)
			}
		}
	}
}
