package ca

import (
	"crypto/rsa"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func parseURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// strict is a profile that forbids what it can.
func strict(t testing.TB) *Profile {
	t.Helper()
	return profile(t, func(c *ProfileConfig) {
		c.KeyTypes = []string{"P-256", "ML-DSA-44"}
		c.Subject = SubjectConfig{Organization: "Example", OrganizationalUnit: "web", Country: "CH"}
		c.Names = []string{"web-*", "db-??.example.com"}
		c.SAN = SANConfig{
			DNS: []string{"*.Example.com"}, URI: []string{"spiffe://example.org/web/*"},
			IP: []string{"10.0.0.0/8", "2001:db8::1"}, Email: []string{"*@example.com"},
		}
		c.Lifetime = LifetimeConfig{Default: Duration(2 * time.Hour), Max: Duration(4 * time.Hour)}
		c.ExtKeyUsage = []string{"server_auth", "client_auth"}
		c.CRLURLs = []string{"http://crl.example.com/ca.crl"}
	})
}

// TestPrepareLeaf_profile: what the profile lists is in the certificate, and nothing else.
func TestPrepareLeaf_profile(t *testing.T) {
	t.Parallel()
	c := leafOf(t, newRoot(t, 10*time.Hour), strict(t), Request{
		Name: "db-01.example.com", Public: newKey(t).Public(),
		DNS: []string{"DB-01.example.com"}, URIs: []*url.URL{parseURL(t, "spiffe://example.org/web/1")},
		IPs:    []netip.Addr{netip.MustParseAddr("::ffff:10.1.2.3"), netip.MustParseAddr("2001:db8::1")},
		Emails: []string{"ops@example.com"},
	})
	if got := c.Subject.String(); got != "CN=db-01.example.com,OU=web,O=Example,C=CH" {
		t.Error(got)
	}
	if len(c.DNSNames) != 1 || c.DNSNames[0] != "db-01.example.com" || len(c.URIs) != 1 || c.URIs[0].String() != "spiffe://example.org/web/1" ||
		len(c.EmailAddresses) != 1 || c.EmailAddresses[0] != "ops@example.com" ||
		len(c.IPAddresses) != 2 || len(c.IPAddresses[0]) != 4 || c.IPAddresses[0].String() != "10.1.2.3" || c.IPAddresses[1].String() != "2001:db8::1" {
		t.Errorf("%v %v %v %v", c.DNSNames, c.URIs, c.IPAddresses, c.EmailAddresses)
	}
	if len(c.ExtKeyUsage) != 2 || len(c.CRLDistributionPoints) != 1 || c.CRLDistributionPoints[0] != "http://crl.example.com/ca.crl" ||
		!c.NotAfter.Equal(noon.Add(2*time.Hour)) || len(c.Extensions) != 7 {
		t.Errorf("%v, %v, until %v, %d extensions", c.ExtKeyUsage, c.CRLDistributionPoints, c.NotAfter, len(c.Extensions))
	}
}

func TestPrepareLeaf_refuses(t *testing.T) {
	t.Parallel()
	root, key := newRoot(t, 10*time.Hour), newKey(t)
	uris := func(text string) func(*Request) {
		return func(r *Request) { r.URIs = []*url.URL{parseURL(t, text)} }
	}
	dns := func(name string) func(*Request) { return func(r *Request) { r.DNS = []string{name} } }
	notDNS := func(name string) string {
		return `the DNS name "` + name + `" cannot be in a certificate: it takes letters, digits, hyphens and dots, without a wildcard or a number at the end; write others as those that begin with xn--`
	}
	notSPIFFE := func(id string) string {
		return `the URI "` + id + `" cannot be in a certificate: it is not a SPIFFE ID: spiffe://TRUST-DOMAIN/PATH, the domain in lower case, without port, query or a slash at the end`
	}
	tests := []struct {
		change func(*Request)
		want   string
	}{
		{func(r *Request) { r.Name = " " }, "the name must not be empty: sessions are keyed by it"},
		{func(r *Request) { r.Name = "mail-01" }, `the name "mail-01" is not one that is issued: web-*, db-??.example.com (profile "test", names)`},
		{func(r *Request) { r.Public = keyOf(t, "P-384").Public() }, `a key of type P-384 is not allowed; take P-256, ML-DSA-44 (profile "test", key_types)`},
		{func(r *Request) { r.Public = nil }, `a key of type <nil> is not allowed; take P-256, ML-DSA-44 (profile "test", key_types)`},
		{func(r *Request) { r.Public = root.Certificate().PublicKey }, `the key for "CN=web-01,OU=web,O=Example,C=CH" is the key of the CA "CN=Test CA" itself`},
		{func(r *Request) { r.Lifetime = 5 * time.Hour }, `a lifetime of 5h is too long; at most 4h is allowed (profile "test", lifetime.max)`},
		{func(r *Request) { r.Lifetime = 999 * time.Millisecond }, "the lifetime of a leaf must be a second or longer, not 999ms"},
		{func(r *Request) { r.Lifetime = -1 }, `the lifetime of a leaf must be a second or longer, not -1ns`},
		{dns("a.b.example.com"), `the DNS name "a.b.example.com" is not allowed; take *.example.com (profile "test", san.dns)`},
		{dns("*.example.com"), notDNS("*.example.com")},
		{dns("a.example.com."), notDNS("a.example.com.")},
		{dns("zürich.example.com"), notDNS("zürich.example.com")},
		{dns(strings.Repeat("a", 64) + ".example.com"), notDNS(strings.Repeat("a", 64) + ".example.com")},
		{dns("-a.example.com"), notDNS("-a.example.com")},
		{dns("10.0.0.1"), `the DNS name "10.0.0.1" is an IP address; ask for it as one`},
		{dns("0x7f.1"), notDNS("0x7f.1")},
		{uris("spiffe://example.org/db/1"), `the URI "spiffe://example.org/db/1" is not allowed; take spiffe://example.org/web/* (profile "test", san.uri)`},
		{uris("spiffe://example.org/web/1/"), notSPIFFE("spiffe://example.org/web/1/")},
		{uris("spiffe://example.org/web/.."), notSPIFFE("spiffe://example.org/web/..")},
		{uris("spiffe://example.org:80/web/1"), notSPIFFE("spiffe://example.org:80/web/1")},
		{uris("spiffe://example.org/web/1?a"), notSPIFFE("spiffe://example.org/web/1?a")},
		{uris("spiffe://example.org/web/%41"), notSPIFFE("spiffe://example.org/web/%41")},
		{uris("web/1"), `the URI "web/1" cannot be in a certificate: it needs a scheme, such as https: or spiffe:`},
		{uris("https:"), `the URI "https:" cannot be in a certificate: nothing follows the scheme`},
		{uris("https://example.org/a/../b"), `the URI "https://example.org/a/../b" cannot be in a certificate: its path has the segment . or .., by which it leads elsewhere than it seems to`},
		{uris("https://example.org/a/%2e"), `the URI "https://example.org/a/%2e" cannot be in a certificate: its path has the segment . or .., by which it leads elsewhere than it seems to`},
		{uris("https://root@example.org/"), `the URI "https://root@example.org/" cannot be in a certificate: it names a user; only a host belongs before the path`},
		{uris("https://a_b/"), `the URI "https://a_b/" cannot be in a certificate: its host is not a host name`},
		{func(r *Request) { r.IPs = []netip.Addr{netip.MustParseAddr("192.0.2.1")} }, `the IP address "192.0.2.1" is not allowed; take 10.0.0.0/8, 2001:db8::1/128 (profile "test", san.ip)`},
		{func(r *Request) { r.IPs = []netip.Addr{{}} }, `the IP address "invalid IP" cannot be in a certificate`},
		{func(r *Request) { r.Emails = []string{"ops@example.org"} }, `the email address "ops@example.org" is not allowed; take *@example.com (profile "test", san.email)`},
		{func(r *Request) { r.Emails = []string{"ops"} }, `the email address "ops" cannot be in a certificate`},
		{func(r *Request) { r.Emails = []string{"a@b@example.com"} }, `the email address "a@b@example.com" cannot be in a certificate`},
	}
	for _, tt := range tests {
		r := Request{Name: "web-01", Public: key.Public()}
		tt.change(&r)
		_, err := root.PrepareLeaf(strict(t), r, noon)
		if err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
		if _, ok := errors.AsType[*ProfileError](err); ok != strings.Contains(tt.want, "(profile ") {
			t.Errorf("%T: %v", err, err)
		}
	}
	none := profile(t, func(c *ProfileConfig) { c.SAN = SANConfig{} })
	_, err := root.PrepareLeaf(none, Request{Name: "web-01", Public: key.Public(), DNS: []string{"a.example.com"}}, noon)
	if want := `the DNS name "a.example.com" is not allowed; none is (profile "test", san.dns)`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestPrepareLeaf_repeated: a name that is asked for twice is in the certificate once.
func TestPrepareLeaf_repeated(t *testing.T) {
	t.Parallel()
	u := parseURL(t, "spiffe://example.org/web/1")
	addr := netip.MustParseAddr("10.1.2.3")
	c := leafOf(t, newRoot(t, time.Hour), strict(t), Request{
		Name: "web-01", Public: newKey(t).Public(), DNS: []string{"b.example.com", "a.example.com", "B.example.com"},
		URIs: []*url.URL{u, u}, IPs: []netip.Addr{addr, netip.AddrFrom16(addr.As16())}, Emails: []string{"a@example.com", "a@example.com"},
	})
	if !slices.Equal(c.DNSNames, []string{"b.example.com", "a.example.com"}) || len(c.URIs) != 1 || len(c.IPAddresses) != 1 || len(c.EmailAddresses) != 1 {
		t.Errorf("%v %v %v %v", c.DNSNames, c.URIs, c.IPAddresses, c.EmailAddresses)
	}
}

// TestPrepareLeaf_lints: errors stop, and so do warnings unless they are allowed.
func TestPrepareLeaf_lints(t *testing.T) {
	t.Parallel()
	root, key := newRoot(t, 10*time.Hour), newKey(t)
	for name, want := range map[string]string{
		"Smith & Sons":           `the certificate "CN=Smith & Sons" breaks the rule tag-characters: makes the tag x509Subject/CN of "Smith & Sons", and session tags cannot hold '&'; take letters, digits, spaces and _.:/=+-@`,
		strings.Repeat("n", 65):  `breaks the rule common-name-length: has the common name "` + strings.Repeat("n", 65) + `" of 65 characters; at most 64 are allowed`,
		"web(1)":                 "session tags cannot hold '('",
		"a\nb":                   `session tags cannot hold '\n'`,
		"bad\xff":                "is not valid UTF-8",
		"Büro Zürich 3":          "",
		"spiffe://example.org/a": "",
	} {
		_, err := root.PrepareLeaf(DefaultProfile(), Request{Name: name, Public: key.Public()}, noon)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v\nwant %s", name, err, want)
		}
	}
	server := func(allowed ...string) *Profile {
		return profile(t, func(c *ProfileConfig) { c.ExtKeyUsage, c.AllowWarnings = []string{"server_auth"}, allowed })
	}
	r := Request{Name: "web-01", Public: key.Public()}
	_, err := root.PrepareLeaf(server(), r, noon)
	if broken, ok := errors.AsType[*LintError](err); !ok || !slices.Equal(broke(broken.Findings), []string{"ext-key-usage"}) {
		t.Errorf("a warning that nobody allowed: %v", err)
	}
	if _, err := root.PrepareLeaf(server("ext-key-usage"), r, noon); err != nil {
		t.Errorf("allowed by the profile: %v", err)
	}
	r.AllowWarnings = []string{"ext-key-usage"}
	if _, err := root.PrepareLeaf(server(), r, noon); err != nil {
		t.Errorf("allowed by the request: %v", err)
	}
	r.AllowWarnings = []string{"digest"}
	if _, err := root.PrepareLeaf(server(), r, noon); err == nil || err.Error() != `the lint rule "digest" is an error; only warnings can be allowed` {
		t.Errorf("an error that is to be allowed: %v", err)
	}
}

// TestPrepareRoot_largeAnchor: a root with a key ML-DSA-87 can have intermediates that are
// registered in its place; that is to be said.
func TestPrepareRoot_largeAnchor(t *testing.T) {
	t.Parallel()
	key := keyOf(t, "ML-DSA-87")
	config := rootConfig(time.Hour)
	if _, err := PrepareRoot(key, config, noon); err != nil {
		t.Error(err)
	}
	config.AllowWarnings = nil
	_, err := PrepareRoot(key, config, noon)
	if broken, ok := errors.AsType[*LintError](err); !ok || !slices.Equal(broke(broken.Findings), []string{"anchor-size"}) {
		t.Errorf("got %v", err)
	}
}

// TestPrepare_keys: no certificate for a key that gives itself away, nor for none.
func TestPrepare_keys(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	weak := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	_, err := root.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: weak}, noon)
	const want = `the certificate "CN=web-01" breaks the rule key: has a key that cannot be used: an RSA key of 1024 bits is too short; take 2048 to 4096`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = root.PrepareCA(weak, caNamed("Middle", 0), noon)
	if want := strings.Replace(want, "web-01", "Middle", 1); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = root.PrepareLeaf(DefaultProfile(), Request{Name: "web-01"}, noon)
	if want := `the key for "CN=web-01": one of type <nil> cannot be in a certificate; take RSA, EC or ML-DSA`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
