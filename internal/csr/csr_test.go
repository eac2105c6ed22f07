package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestRequest: what flags name is in the request, and what cannot be a name is refused by its flag.
func TestRequest(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		names   Names
		subject string
		refused string // empty: it is made
	}{
		{Names{Name: "web-01"}, "CN=web-01", ""},
		{Names{Name: "web-01", Subject: "OU=Web,O=Example"}, "CN=web-01,OU=Web,O=Example", ""},
		{Names{Subject: "/O=Example/CN=web-01"}, "CN=web-01,O=Example", ""},
		{Names{Name: "Grün", DNS: []string{"a.example"}, URIs: []string{"spiffe://example.org/web"}, IPs: []string{"::1", "192.0.2.1"}, Emails: []string{"a@example.org"}}, "CN=Grün", ""},
		{Names{}, "", "missing --name"},
		{Names{Name: "a", Subject: "CN=b"}, "", "more than one common name"},
		{Names{Name: strings.Repeat("a", 65)}, "", "more than 64 characters"},
		{Names{Name: "a\n"}, "", "control character"},
		{Names{Name: "a", Subject: "C=Germany"}, "", "not two letters"},
		{Names{Name: "a", Subject: "web"}, "", "--subject"},
		{Names{Name: "a", DNS: []string{"192.0.2.1"}}, "", "give it with --ip"},
		{Names{Name: "a", DNS: []string{"grün.example"}}, "", "--dns"},
		{Names{Name: "a", URIs: []string{"web"}}, "", "--uri"},
		{Names{Name: "a", IPs: []string{"fe80::1%eth0"}}, "", "--ip"},
		{Names{Name: "a", Emails: []string{"@example.org"}}, "", "--email"},
	} {
		request, err := tt.names.Request()
		if tt.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%+v: %v, want one with %q", tt.names, err, tt.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", tt.names, err)
			continue
		}
		der, err := Sign(request, key)
		if err != nil {
			t.Errorf("%+v: %v", tt.names, err)
			continue
		}
		made, err := x509.ParseCertificateRequest(der)
		if err != nil || made.Subject.String() != tt.subject || made.SignatureAlgorithm != x509.ECDSAWithSHA256 ||
			len(made.DNSNames) != len(tt.names.DNS) || len(made.URIs) != len(tt.names.URIs) || len(made.IPAddresses) != len(tt.names.IPs) || len(made.EmailAddresses) != len(tt.names.Emails) {
			t.Errorf("%+v: %v, %+v", tt.names, err, made)
		}
	}
}

// wrongSigner signs something else, as broken hardware does.
type wrongSigner struct{ *rsa.PrivateKey }

func (w wrongSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	other := append([]byte{^digest[0]}, digest[1:]...)
	return w.PrivateKey.Sign(random, other, opts)
}

// TestSign_wrong: a signature is verified before anybody gets it.
func TestSign_wrong(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	request, err := (&Names{Name: "web-01"}).Request()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(request, wrongSigner{key}); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
