package hostcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"
	"testing"
	"time"

	"kedge/ca"
)

// TestFromCSR: what the caller asks for is added to what the request asks for, and the names of both count.
func TestFromCSR(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	request := func(name string, dns ...string) *x509.CertificateRequest {
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name, Locality: []string{"Bern"}}, DNSNames: dns}, key)
		must(t, err)
		csr, err := x509.ParseCertificateRequest(der)
		must(t, err)
		return csr
	}
	for _, tt := range []struct {
		about string
		csr   *x509.CertificateRequest
		o     ca.CSROptions
		add   ca.Request
		name  string // empty: refused as nameless
		host  string
		dns   []string
	}{
		{"its own name", request("web-01"), ca.CSROptions{}, ca.Request{}, "web-01", "web-01", nil},
		{"a host", request("web-01"), ca.CSROptions{}, ca.Request{Host: "rack7"}, "web-01", "rack7", nil},
		{"another name", request("web-01"), ca.CSROptions{Name: "web-02"}, ca.Request{}, "web-02", "web-02", nil},
		{"a name for none", request(""), ca.CSROptions{Name: "web-02"}, ca.Request{}, "web-02", "web-02", nil},
		{"no name", request(""), ca.CSROptions{}, ca.Request{Host: "rack7"}, "", "", nil},
		{"more names", request("web-01", "a.example"), ca.CSROptions{}, ca.Request{DNS: []string{"b.example"}}, "web-01", "web-01", []string{"a.example", "b.example"}},
		{"the lifetime of the caller", request("web-01"), ca.CSROptions{}, ca.Request{Lifetime: time.Hour}, "web-01", "web-01", nil},
	} {
		r, dropped, err := FromCSR(ca.DefaultProfile(), tt.csr, tt.o, tt.add)
		if _, nameless := errors.AsType[*NamelessError](err); nameless != (tt.name == "") || !nameless && err != nil {
			t.Errorf("%s: %v", tt.about, err)
			continue
		}
		if tt.name == "" {
			continue
		}
		if r.Name != tt.name || r.Host != tt.host || !slices.Equal(r.DNS, tt.dns) || r.Lifetime != tt.add.Lifetime || !ca.SameKey(r.Public, key.Public()) {
			t.Errorf("%s: %+v", tt.about, r)
		}
		if len(dropped) > 0 && dropped[0][:len("left out of the request: ")] != "left out of the request: " {
			t.Errorf("%s: %q", tt.about, dropped)
		}
	}
}

// TestShortWarnings: only a certificate that ends before what was asked for is worth a warning.
func TestShortWarnings(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 5, 1, 12, 0, 0, 500, time.UTC)
	for _, tt := range []struct {
		asked, got time.Duration
		want       bool
	}{
		{0, time.Hour, false},
		{time.Hour, time.Hour, false},
		{time.Hour, 2 * time.Hour, false},
		{time.Hour, time.Hour - 999*time.Millisecond, false}, // the rest of a second
		{time.Hour, time.Hour - time.Second, true},
		{24 * time.Hour, time.Hour, true},
	} {
		all := ShortWarnings("web-01.pem", ca.Issued{Certificate: &x509.Certificate{NotAfter: at.Add(tt.got)}, At: at}, tt.asked)
		if (len(all) == 1) != tt.want || len(all) > 1 {
			t.Errorf("%v of %v: %q", tt.got, tt.asked, all)
		}
	}
}
