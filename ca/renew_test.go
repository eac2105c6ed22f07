package ca

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// renewed issues a renewal, and checks what is recorded of it.
func renewed(t *testing.T, a *Authority, r Renewal, now time.Time) *x509.Certificate {
	t.Helper()
	prepared, err := a.PrepareRenewal(r, now)
	if err != nil {
		t.Fatal(err)
	}
	var b book
	c, err := prepared.Issue(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(r.Old.Raw)
	if i := b.issued[0]; !bytes.Equal(i.Replaces, sum[:]) || i.Host != r.Host || i.Why != r.Why || !i.At.Equal(now) {
		t.Errorf("recorded: %+v", i)
	}
	if bytes.Equal(c.SerialNumber.Bytes(), r.Old.SerialNumber.Bytes()) || !bytes.Equal(c.RawSubject, r.Old.RawSubject) {
		t.Errorf("serial %v, subject %s", c.SerialNumber, c.Subject)
	}
	return c
}

// TestRenewal_leaf: same names by another authority too; same key, or a new one.
func TestRenewal_leaf(t *testing.T) {
	t.Parallel()
	old := leafOf(t, newRoot(t, 10*time.Hour), strict(t), Request{
		Name: "web-01", Public: newKey(t).Public(), DNS: []string{"a.example.com"}, Emails: []string{"a@example.com"},
		URIs: []*url.URL{parseURL(t, "spiffe://example.org/web/1")}, IPs: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")},
		Lifetime: 3 * time.Hour,
	})
	root := newRoot(t, 1000*time.Hour)
	// The subject stays, whatever the profile's template has become.
	p := profile(t, func(c *ProfileConfig) {
		c.Subject.Organization = "Renamed"
		c.SAN = SANConfig{DNS: []string{"**"}, URI: []string{"**"}, Email: []string{"**"}, IP: []string{"::/0", "0.0.0.0/0"}}
	})
	later := noon.Add(100 * time.Hour)
	c := renewed(t, root, Renewal{Old: old, Profile: p, Host: "h1", Why: "expiring"}, later)
	if !SameKey(c.PublicKey, old.PublicKey) || !c.NotAfter.Equal(later.Add(3*time.Hour)) || !c.NotBefore.Equal(later.Add(-5*time.Minute)) {
		t.Errorf("%v to %v", c.NotBefore, c.NotAfter)
	}
	if !bytes.Equal(sanOf(c), sanOf(old)) || len(sanOf(c)) == 0 {
		t.Errorf("names %x\nbefore %x", sanOf(c), sanOf(old))
	}
	key := newKey(t).Public()
	if c = renewed(t, root, Renewal{Old: old, Profile: p, Public: key, Lifetime: time.Hour}, later); !SameKey(c.PublicKey, key) || !c.NotAfter.Equal(later.Add(time.Hour)) {
		t.Errorf("rekeyed: until %v", c.NotAfter)
	}
	short := profile(t, func(c *ProfileConfig) {
		c.SAN = SANConfig{DNS: []string{"**"}, URI: []string{"**"}, Email: []string{"**"}, IP: []string{"::/0", "0.0.0.0/0"}}
		c.Lifetime = LifetimeConfig{Max: Duration(2 * time.Hour)}
	})
	if c = renewed(t, root, Renewal{Old: old, Profile: short}, later); !c.NotAfter.Equal(later.Add(2 * time.Hour)) {
		t.Errorf("cut to the profile's most: until %v", c.NotAfter)
	}
}

func sanOf(c *x509.Certificate) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(oidSubjectAltName) {
			return e.Value
		}
	}
	return nil
}

func TestRenewal_root(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	config := rootConfig(10 * time.Hour)
	config.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "example"}}
	config.Constraints, config.MaxPathLen, config.CRLURLs = exampleConstraints(), 1, []string{"http://crl.example.com/ca.crl"}
	prepared, err := PrepareRoot(key, config, noon)
	if err != nil {
		t.Fatal(err)
	}
	root, err := New(issue(t, prepared), key)
	if err != nil {
		t.Fatal(err)
	}
	old, later := root.Certificate(), noon.Add(9*time.Hour)
	c := renewed(t, root, Renewal{Old: old, Host: "h", Why: "old age"}, later)
	if !bytes.Equal(c.SubjectKeyId, old.SubjectKeyId) || !c.NotAfter.Equal(later.Add(10*time.Hour)) || c.MaxPathLen != 1 ||
		len(c.CRLDistributionPoints) != 1 || c.ExcludedIPRanges[0].String() != "10.1.0.0/16" || len(c.Extensions) != len(old.Extensions) {
		t.Errorf("%+v", c)
	}
	// What is below the old one is below the new one too.
	again, err := New(c, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := leafOf(t, root, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}).CheckSignatureFrom(again.Certificate()); err != nil {
		t.Error(err)
	}
	// A root like it with another key.
	like, err := ConfigOf(old)
	if err != nil {
		t.Fatal(err)
	}
	if prepared, err = PrepareRoot(newKey(t), like, later); err != nil {
		t.Fatal(err)
	}
	if other := prepared.Certificate(); !bytes.Equal(other.RawSubject, old.RawSubject) || bytes.Equal(other.SubjectKeyId, old.SubjectKeyId) || other.MaxPathLen != 1 {
		t.Errorf("%+v", other)
	}
	like.Subject = pkix.Name{CommonName: "Next CA"}
	if prepared, err = PrepareRoot(newKey(t), like, later); err != nil || prepared.Certificate().Subject.String() != "CN=Next CA" {
		t.Errorf("%v, %v", prepared, err)
	}
}

func TestRenewal_intermediate(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 100*time.Hour)
	key := newKey(t)
	old := below(t, root, key, caNamed("Middle", 0))
	later := noon.Add(7 * time.Hour)
	c := renewed(t, root, Renewal{Old: old.Certificate()}, later)
	if !bytes.Equal(c.SubjectKeyId, old.Certificate().SubjectKeyId) || !c.MaxPathLenZero || !c.NotAfter.Equal(later.Add(8*time.Hour)) {
		t.Errorf("%+v", c)
	}
	if _, err := New(c, key, root.Certificate()); err != nil {
		t.Error(err)
	}
	next := newKey(t)
	c = renewed(t, root, Renewal{Old: old.Certificate(), Public: next.Public(), Lifetime: time.Hour}, later)
	if _, err := New(c, next, root.Certificate()); err != nil || !c.NotAfter.Equal(later.Add(time.Hour)) {
		t.Errorf("%v, until %v", err, c.NotAfter)
	}
}

func TestRenewal_refuses(t *testing.T) {
	t.Parallel()
	rootKey := newKey(t)
	root := rootFor(t, rootKey, 10*time.Hour)
	old := leafOf(t, root, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public(), DNS: []string{"a.example.org"}})
	odd := signed(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "web-01"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidSubjectAltName, Value: []byte{0x30, 4, 0xa4, 2, 0x30, 0}}},
	}, root.Certificate(), newKey(t).Public(), rootKey)
	tests := []struct {
		r    Renewal
		want string
	}{
		{Renewal{Old: old}, `renew "CN=web-01": a leaf is renewed by a profile`},
		{Renewal{Old: old, Profile: strict(t)}, `renew "CN=web-01": the DNS name "a.example.org" is not allowed; take *.example.com (profile "test", san.dns)`},
		{Renewal{Old: old, Profile: DefaultProfile(), Lifetime: 721 * time.Hour}, `renew "CN=web-01": a lifetime of 721h is too long; at most 30d is allowed (profile "workload", lifetime.max)`},
		{Renewal{Old: old, Profile: DefaultProfile(), Lifetime: -1}, `renew "CN=web-01": the lifetime of a leaf must be a second or longer, not -1ns`},
		{Renewal{Old: odd, Profile: DefaultProfile()}, `renew "CN=web-01": a subject alternative name of the kind directoryName is not allowed; take DNS names, URIs, IP and email addresses`},
		{Renewal{Old: root.Certificate(), Public: newKey(t).Public()}, `renew "CN=Test CA": a root is renewed with its own key; with another key it is another root`},
		{Renewal{Old: newRoot(t, time.Hour).Certificate()}, `renew "CN=Test CA": a root is renewed with its own key; with another key it is another root`},
	}
	for _, tt := range tests {
		if _, err := root.PrepareRenewal(tt.r, noon); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// TestRenewal_widens: what limits a CA of another program is not lost in its renewal.
func TestRenewal_widens(t *testing.T) {
	t.Parallel()
	rootKey := newKey(t)
	root := rootFor(t, rootKey, 10*time.Hour)
	// GeneralSubtree with the directory name O=x, and one with the DNS name a.
	const directory, dns = "\x30\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x", "\x30\x03\x82\x01a"
	// One with the registered ID 1.2.3.4, and one of a and the minimum 1.
	const id, minimum = "\x30\x05\x88\x03\x2a\x03\x04", "\x30\x06\x82\x01a\x80\x01\x01"
	tests := []struct {
		oid      asn1.ObjectIdentifier
		critical bool
		value    string
		want     string
	}{
		{asn1.ObjectIdentifier{2, 5, 29, 37}, false, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", "the extension extKeyUsage limits it and would be lost; have it renewed by the program that made it"},
		{asn1.ObjectIdentifier{2, 5, 29, 36}, true, "\x30\x03\x80\x01\x00", "the extension policyConstraints limits it and would be lost; have it renewed by the program that made it"},
		{asn1.ObjectIdentifier{1, 2, 3}, true, "\x05\x00", "the extension 1.2.3 limits it and would be lost; have it renewed by the program that made it"},
		{asn1.ObjectIdentifier{1, 2, 3}, false, "\x05\x00", ""},
		{oidNameConstraints, false, "\x30\x07\xa0\x05" + dns, ""},
		{oidNameConstraints, false, "\x30\x19\xa0\x17" + directory + dns, ""},
		{oidNameConstraints, false, "\x30\x0e\xa0\x0c" + id + dns, "the name constraints on registered IDs cannot be held against names; those on DNS names, URIs, email and IP addresses and directory names can"},
		{oidNameConstraints, false, "\x30\x0a\xa0\x08" + minimum, "the name constraints have a minimum or maximum, which verifiers do not support"},
	}
	for _, tt := range tests {
		old := signed(t, &x509.Certificate{
			Subject: pkix.Name{CommonName: "Middle"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			ExtraExtensions: []pkix.Extension{{Id: tt.oid, Critical: tt.critical, Value: []byte(tt.value)}},
		}, root.Certificate(), newKey(t).Public(), rootKey)
		_, err := root.PrepareRenewal(Renewal{Old: old}, noon)
		if want := `renew "CN=Middle": ` + tt.want; tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestLifetimeOf(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration]time.Duration{
		24*time.Hour + 5*time.Minute: 24 * time.Hour, 5*time.Minute + time.Second: time.Second, 5 * time.Minute: 5 * time.Minute, time.Minute: time.Minute,
	} {
		if got := lifetimeOf(&x509.Certificate{NotBefore: noon, NotAfter: noon.Add(span)}); got != want {
			t.Errorf("%v: %v", span, got)
		}
	}
}

// TestSubjectConfig_nameIn: the name in a common name is what patterns look at.
func TestSubjectConfig_nameIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ template, commonName, want string }{
		{"{name}", "web-01", "web-01"},
		{"host {name}.example.com", "host web-01.example.com", "web-01"},
		{"host {name}", "web-01", "web-01"},
		{"fixed", "web-01", "web-01"},
		{"aba{name}aba", "ababa", "ababa"},
	} {
		if got := (SubjectConfig{CommonName: tt.template}).nameIn(tt.commonName); got != tt.want {
			t.Errorf("%q in %q: %q", tt.template, tt.commonName, got)
		}
	}
}
