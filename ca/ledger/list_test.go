package ledger

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// sample fills a ledger: ca, sub, web-01 (replaced), web-01, web-02 (revoked), db-01 (expired),
// db-02 (held), later (pending).
func sample(t *testing.T, l *Ledger) (root, sub *authority) {
	t.Helper()
	root = newAuthority(t, "Test CA", nil)
	sub = newAuthority(t, "Sub", root)
	register(t, l, root)
	register(t, l, sub)
	dns := func(names ...string) func(*x509.Certificate) { return func(c *x509.Certificate) { c.DNSNames = names } }
	org := func(c *x509.Certificate) { c.Subject.Organization = []string{"Example"} }
	old := root.leaf("web-01", valid(-2*time.Hour, time.Hour), dns("web-01.example.com", "www.example.com"), org)
	add(t, l, ca.Issued{Certificate: old, Host: "rack-1"})
	add(t, l, ca.Issued{Certificate: sub.leaf("web-01", dns("WEB-01.example.com", "www.example.com"), org), Host: "rack-1", Replaces: fingerprint(old)})
	web2 := root.leaf("web-02", valid(-time.Hour, 3*time.Hour), func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 2)} })
	add(t, l, ca.Issued{Certificate: web2, Host: "rack-2"})
	add(t, l, ca.Issued{Certificate: root.leaf("db-01", valid(-2*time.Hour, -time.Hour)), Host: "rack-3"})
	db2 := sub.leaf("db-02", valid(-time.Hour, 4*time.Hour))
	add(t, l, ca.Issued{Certificate: db2, Host: "rack_3"})
	add(t, l, ca.Issued{Certificate: root.leaf("later", valid(time.Hour, 2*time.Hour)), Host: "[rack]?", At: noon.Add(time.Minute)})
	for reason, f := range map[ca.Reason][]byte{1: fingerprint(web2), ca.CertificateHold: fingerprint(db2)} {
		if err := l.Revoke(t.Context(), [][]byte{f}, Revocation{Reason: reason, At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	return root, sub
}

func TestList(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, sub := sample(t, l)
		tests := []struct {
			f    Filter
			want string
		}{
			{Filter{}, "Test CA, Sub, web-01, web-01, web-02, db-01, db-02, later"},
			{Filter{Limit: 3}, "Test CA, Sub, web-01"},
			{Filter{After: 8}, "db-02, later"},
			{Filter{Kind: Root}, "Test CA"},
			{Filter{Kind: Intermediate}, "Sub"},
			{Filter{Kind: Leaf, Limit: 1}, "web-01"},
			{Filter{State: Valid}, "web-01, web-01, Test CA, Sub"},
			{Filter{State: Expired}, "db-01"},
			{Filter{State: Revoked}, "web-02"},
			{Filter{State: Held}, "db-02"},
			{Filter{State: Pending}, "later"},
			{Filter{Host: "rack-1"}, "web-01, web-01"},
			{Filter{Host: "rack-*"}, "web-01, web-01, web-02, db-01"},
			{Filter{Host: "rack_*"}, "db-02"},
			{Filter{Host: "[rack]?*"}, "later"},
			{Filter{Host: "*3"}, "db-01, db-02"},
			{Filter{CommonName: "web-02"}, "web-02"},
			{Filter{CommonName: "*0*1"}, "db-01, web-01, web-01"},
			{Filter{Subject: "web*"}, "web-01, web-01, web-02"},
			{Filter{Subject: "CN=web-01,O=Example"}, "web-01, web-01"},
			{Filter{Subject: "CN=web-01*"}, "web-01, web-01"},
			{Filter{Subject: "*O=Example"}, "web-01, web-01"},
			{Filter{Subject: "CN=web"}, ""},
			{Filter{SAN: "WEB-01.example.com"}, "web-01, web-01"},
			{Filter{SAN: "*.example.com"}, "web-01, web-01"},
			{Filter{SAN: "www*"}, "web-01, web-01"},
			{Filter{SAN: "10.0.0.2"}, "web-02"},
			{Filter{SAN: "10.*"}, "web-02"},
			{Filter{Issuer: "CN=Sub"}, "web-01, db-02"},
			{Filter{Issuer: "CN=Nobody"}, ""},
			{Filter{Issuer: fmt.Sprintf("%X", sub.cert.SubjectKeyId)}, "web-01, db-02"},
			{Filter{Issuer: "*", Kind: Leaf, CommonName: "web*"}, "web-01, web-01, web-02"},
			{Filter{Serial: "00:" + strings.ToUpper(root.cert.SerialNumber.Text(16))}, "Test CA"},
			{Filter{Fingerprint: fmt.Sprintf("%X", fingerprint(sub.cert))}, "Sub"},
			{Filter{ExpiresBefore: noon.Add(3 * time.Hour)}, "db-01, web-01, later"},
			{Filter{ExpiresBefore: noon.Add(3 * time.Hour), ExpiresAfter: noon, Unreplaced: true}, "later"},
			{Filter{Unreplaced: true, Kind: Leaf}, "db-01, later, web-02, db-02, web-01"},
			{Filter{IssuedAfter: noon.Add(time.Second)}, "later"},
			{Filter{Newest: true, Kind: Leaf}, "db-01, later, web-01"}, // not web-02 and db-02, which are revoked
			{Filter{Newest: true, State: Expired}, "db-01"},
			{Filter{Newest: true, CommonName: "web*"}, "web-01"},
			{Filter{Newest: true, ExpiresBefore: noon.Add(3 * time.Hour), ExpiresAfter: noon}, "later"},
			{Filter{Newest: true, Kind: Intermediate}, "Sub"},
			{Filter{LifeLeft: 1}, "db-01"},
		}
		for _, tt := range tests {
			got := found(t, l, tt.f)
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("%+v\ngot  %s\nwant %s", tt.f, strings.Join(got, ", "), tt.want)
			}
			if n, err := l.Count(t.Context(), tt.f); err != nil || tt.f.Limit == 0 && tt.f.After == 0 && n != int64(len(got)) {
				t.Errorf("%+v: counts %d, %v", tt.f, n, err)
			}
			if paged := pages(t, l, tt.f); tt.f.Limit == 0 && !slices.Equal(paged, got) {
				t.Errorf("%+v: one by one %v, want %v", tt.f, paged, got)
			}
		}
	})
}

// pages lists one by one.
func pages(t *testing.T, l *Ledger, f Filter) []string {
	t.Helper()
	var all []string
	for f.Limit = 1; ; {
		before := f.After
		for c, err := range l.List(t.Context(), f) {
			if err != nil {
				t.Fatalf("%+v: %v", f, err)
			}
			all, f.After = append(all, c.CommonName), c.Seq
		}
		if f.After == before {
			return all
		}
	}
}

func TestList_refuses(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		for want, f := range map[string]Filter{
			`the serial number "xyz" is not hexadecimal`:                        {Serial: "xyz"},
			`the fingerprint "1g" is not hexadecimal`:                           {Fingerprint: "1g"},
			`the state "new" is none of valid, expired, revoked, held, pending`: {State: "new"},
			"certificate 99, to go on after, is not in the ledger":              {After: 99, State: Valid},
		} {
			for _, err := range l.List(t.Context(), f) {
				if fmt.Sprint(err) != want {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
		}
	})
}

// A name that was issued to another key has the newest of the other key alone.
func TestList_newest(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		first := root.leaf("web-01", valid(-8*time.Hour, -time.Hour))
		add(t, l, ca.Issued{Certificate: first})
		if got := found(t, l, Filter{Newest: true, State: Expired}); len(got) != 1 {
			t.Errorf("expired, and the newest: %q", got)
		}
		add(t, l, ca.Issued{Certificate: root.leaf("web-01", valid(-6*time.Hour, 2*time.Hour))}) // 2 of 8 hours left
		for want, f := range map[int]Filter{
			0: {Newest: true, State: Expired},
			1: {Newest: true, LifeLeft: 26},
			2: {LifeLeft: 26}, // and the first
		} {
			if got := found(t, l, f); len(got) != want {
				t.Errorf("%+v: %q", f, got)
			}
		}
		if got := found(t, l, Filter{Newest: true, LifeLeft: 25}); len(got) != 0 {
			t.Errorf("a quarter is left: %q", got)
		}
	})
}

func TestHosts(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		_, sub := sample(t, l)
		got := ""
		for c, err := range l.Hosts(t.Context(), noon) {
			if err != nil {
				t.Fatal(err)
			}
			got += fmt.Sprintf("%s %d %v\n", c.Host, c.Seq, c.IssuerKeyID == fmt.Sprintf("%x", sub.cert.SubjectKeyId))
		}
		if got != "rack-1 6 true\n" {
			t.Errorf("got %s", got)
		}
	})
}

// A loop over the ledger may stop early, and write.
func TestList_whileWriting(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, _ := sample(t, l)
		n := 0
		for c, err := range l.List(t.Context(), Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			add(t, l, ca.Issued{Certificate: root.leaf("copy of " + c.CommonName)})
		}
		if total, err := l.Count(t.Context(), Filter{}); n != 8 || total != 16 || err != nil {
			t.Errorf("listed %d of %d, %v", n, total, err)
		}
		for range l.List(t.Context(), Filter{}) {
			break
		}
	})
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"*", "", true}, {"a*b*c", "axbxc", true}, {"a*b*c", "axc", false}, {"a*b*b", "ab", false},
		{"web-?", "web-1", false}, {"web-?*", "web-?1", true}, {"[ab]*", "a1", false}, {"[ab]*", "[ab]1", true}, {`a\*`, `a\b`, true},
	} {
		if got := Matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%q, %q: %v", tt.pattern, tt.name, got)
		}
	}
}
