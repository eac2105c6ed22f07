package ca

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func exampleConstraints() NameConstraints {
	return NameConstraints{
		PermittedDNS: []string{"example.com"}, ExcludedDNS: []string{"secret.example.com"},
		PermittedURI: []string{"example.org", ".example.com"}, ExcludedURI: []string{"bad.example.com"},
		PermittedEmail: []string{"example.com", "ops@example.net"}, ExcludedEmail: []string{"root@example.com"},
		PermittedIP: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ExcludedIP: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
	}
}

// anySAN is a profile that takes every name.
func anySAN(t testing.TB) *Profile {
	t.Helper()
	return profile(t, func(c *ProfileConfig) {
		c.SAN = SANConfig{DNS: []string{"**"}, URI: []string{"**"}, Email: []string{"**"}, IP: []string{"0.0.0.0/0", "::/0"}}
	})
}

func constrainedRequest(t testing.TB, kind, name string) Request {
	t.Helper()
	r := Request{Name: "web-01", Public: newKey(t).Public()}
	switch kind {
	case "cn":
		r.Name = name
	case "dns":
		r.DNS = []string{name}
	case "uri":
		r.URIs = []*url.URL{parseURL(t, name)}
	case "email":
		r.Emails = []string{name}
	case "ip":
		r.IPs = []netip.Addr{netip.MustParseAddr(name)}
	}
	return r
}

// TestConstraints: what these checks permit, crypto/x509, openssl and certtool accept; the rest is
// refused before it is signed.
func TestConstraints(t *testing.T) {
	t.Parallel()
	const years = 365 * 24 * time.Hour
	c := rootConfig(60 * years)
	c.Constraints = exampleConstraints()
	key := newKey(t)
	prepared, err := PrepareRoot(key, c, noon)
	if err != nil {
		t.Fatal(err)
	}
	root, err := New(issue(t, prepared), key)
	if err != nil {
		t.Fatal(err)
	}
	middle := below(t, root, newKey(t), caNamed("Middle", 0))
	const notPermitted = ` is not permitted by the name constraints of "CN=Test CA": `
	tests := []struct{ kind, name, want string }{
		{"cn", "web-01", ""},
		{"cn", "web.example.com", ""},
		{"cn", "web.example.org", `the DNS name "web.example.org"` + notPermitted + "example.com"},
		{"cn", "web_1.example.org", `the DNS name "web_1.example.org"` + notPermitted + "example.com"},
		{"cn", "10.0.0.1", `the DNS name "10.0.0.1"` + notPermitted + "example.com"},
		{"cn", "web_1.example.com", ""},
		{"cn", "a..b", ""},
		{"dns", "example.com", ""},
		{"dns", "a.b.EXAMPLE.com", ""},
		{"dns", "example.org", `the DNS name "example.org"` + notPermitted + "example.com"},
		{"dns", "badexample.com", `the DNS name "badexample.com"` + notPermitted + "example.com"},
		{"dns", "a.secret.example.com", `the DNS name "a.secret.example.com" is excluded by the name constraint "secret.example.com" of "CN=Test CA"`},
		{"uri", "spiffe://example.org/a", ""},
		{"uri", "https://a.example.com/x", ""},
		{"uri", "https://a.example.org/x", `the URI "https://a.example.org/x"` + notPermitted + "example.org, .example.com"},
		{"uri", "https://example.com/", `the URI "https://example.com/"` + notPermitted + "example.org, .example.com"},
		{"uri", "https://bad.example.com/", `the URI "https://bad.example.com/" is excluded by the name constraint "bad.example.com" of "CN=Test CA"`},
		{"uri", "https://x.bad.example.com/", `the URI "https://x.bad.example.com/" is excluded by the name constraint "bad.example.com" of "CN=Test CA"`},
		{"uri", "urn:a:b", `the URI "urn:a:b" has no host that the name constraints of "CN=Test CA" could be held against`},
		{"uri", "https://10.0.0.1/", `the URI "https://10.0.0.1/" has no host that the name constraints of "CN=Test CA" could be held against`},
		{"email", "a@example.com", ""},
		{"email", "ops@example.net", ""},
		{"email", "dev@example.net", `the email address "dev@example.net"` + notPermitted + "example.com, ops@example.net"},
		{"email", "a@mail.example.com", `the email address "a@mail.example.com"` + notPermitted + "example.com, ops@example.net"},
		{"email", "root@example.com", `the email address "root@example.com" is excluded by the name constraint "root@example.com" of "CN=Test CA"`},
		{"ip", "10.2.3.4", ""},
		{"ip", "10.1.2.3", `the IP address "10.1.2.3" is excluded by the name constraint "10.1.0.0/16" of "CN=Test CA"`},
		{"ip", "192.0.2.1", `the IP address "192.0.2.1"` + notPermitted + "10.0.0.0/8"},
		{"ip", "2001:db8::1", `the IP address "2001:db8::1"` + notPermitted + "10.0.0.0/8"},
	}
	for _, tt := range tests {
		prepared, err := middle.PrepareLeaf(anySAN(t), constrainedRequest(t, tt.kind, tt.name), noon)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			verifyPath(t, middle, issue(t, prepared))
		} else if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

// TestConstraints_refuses: constraints that make no sense, or widen those above.
func TestConstraints_refuses(t *testing.T) {
	t.Parallel()
	c := caNamed("Outer", -1)
	c.Constraints = exampleConstraints()
	outer := below(t, newRoot(t, 10*time.Hour), newKey(t), c)
	prefix := func(p string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(p)} }
	tests := []struct {
		constraints NameConstraints
		want        string
	}{
		{NameConstraints{PermittedDNS: []string{".a.example.com"}, PermittedURI: []string{"b.example.com"}, PermittedEmail: []string{"x@example.com"}, PermittedIP: prefix("10.2.0.0/16")}, ""},
		{NameConstraints{ExcludedDNS: []string{"example.org"}}, ""},
		{NameConstraints{PermittedDNS: []string{"*.example.com"}}, `the name constraint "*.example.com" cannot be held against any DNS name`},
		{NameConstraints{PermittedDNS: []string{"Example.com"}}, `the name constraint "Example.com" cannot be held against any DNS name`},
		{NameConstraints{ExcludedDNS: []string{""}}, `the name constraint "" cannot be held against any DNS name`},
		{NameConstraints{PermittedURI: []string{"https://example.org"}}, `the name constraint "https://example.org" cannot be held against any URI`},
		{NameConstraints{ExcludedEmail: []string{"@example.com"}}, `the name constraint "@example.com" cannot be held against any email address`},
		{NameConstraints{PermittedIP: prefix("10.2.3.4/8")}, `the name constraint 10.2.3.4/8 is not a range of addresses; write the first one and the bits, such as 10.0.0.0/8`},
		{NameConstraints{PermittedIP: []netip.Prefix{{}}}, `the name constraint invalid Prefix is not a range of addresses; write the first one and the bits, such as 10.0.0.0/8`},
		{NameConstraints{PermittedDNS: []string{"a.example.com"}, ExcludedDNS: []string{"a.example.com"}}, `the name constraint "a.example.com" is both permitted and excluded`},
		{NameConstraints{PermittedDNS: []string{"example.org"}}, `the DNS name "example.org" is not permitted by the name constraints of "CN=Outer": example.com`},
		{NameConstraints{PermittedDNS: []string{"x.secret.example.com"}}, `the DNS name "x.secret.example.com" is excluded by the name constraint "secret.example.com" of "CN=Outer"`},
		{NameConstraints{PermittedURI: []string{".example.org"}}, `the URI ".example.org" is not permitted by the name constraints of "CN=Outer": example.org, .example.com`},
		{NameConstraints{PermittedEmail: []string{".example.com"}}, `the email address ".example.com" is not permitted by the name constraints of "CN=Outer": example.com, ops@example.net`},
		{NameConstraints{PermittedIP: prefix("0.0.0.0/0")}, `the IP address "0.0.0.0/0" is not permitted by the name constraints of "CN=Outer": 10.0.0.0/8`},
		{NameConstraints{PermittedIP: prefix("10.1.2.0/24")}, `the IP address "10.1.2.0/24" is excluded by the name constraint "10.1.0.0/16" of "CN=Outer"`},
	}
	for _, tt := range tests {
		c := caNamed("Inner", -1)
		c.Constraints = tt.constraints
		_, err := outer.PrepareCA(newKey(t).Public(), c, noon)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// FuzzConstraints: what these checks permit, crypto/x509 verifies, whatever the names and
// the constraints are.
func FuzzConstraints(f *testing.F) {
	f.Add("example.com", "secret.example.com", "a.example.com", "spiffe://example.com/a", "x@example.com")
	f.Add(".example.com", "a@example.com", "example.com", "https://b.example.com", "A@EXAMPLE.com")
	key := newKey(f)
	f.Fuzz(func(t *testing.T, permitted, excluded, dns, uri, email string) {
		u, err := url.Parse(uri)
		if err != nil || len(permitted+excluded+dns+uri+email) > 200 {
			return
		}
		c := rootConfig(time.Hour)
		c.Constraints = NameConstraints{PermittedEmail: []string{permitted}, ExcludedEmail: []string{excluded}}
		if !strings.Contains(permitted, "@") {
			c.Constraints.PermittedDNS, c.Constraints.PermittedURI = []string{permitted}, []string{permitted}
		}
		if !strings.Contains(excluded, "@") {
			c.Constraints.ExcludedDNS, c.Constraints.ExcludedURI = []string{excluded}, []string{excluded}
		}
		prepared, err := PrepareRoot(key, c, noon)
		if err != nil {
			return
		}
		root, err := New(issue(t, prepared), key)
		if err != nil {
			t.Fatal(err)
		}
		r := Request{Name: "web-01", Public: newKey(t).Public(), DNS: []string{dns}, URIs: []*url.URL{u}, Emails: []string{email}}
		if prepared, err = root.PrepareLeaf(anySAN(t), r, noon); err != nil {
			return
		}
		verifyGo(t, root, issue(t, prepared))
	})
}
