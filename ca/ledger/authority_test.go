package ledger

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"kedge/ca"
)

func TestSetAuthority(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		sub := newAuthority(t, "Sub", root)
		a := Authority{Name: "ca", Certificate: root.cert, State: Active, Issuing: true}
		if err := l.SetAuthority(t.Context(), a); !strings.Contains(fmt.Sprint(err), `authority "ca": a certificate with the SHA-256`) {
			t.Errorf("not recorded: %v", err)
		}
		add(t, l, ca.Issued{Certificate: root.cert})
		add(t, l, ca.Issued{Certificate: sub.cert})
		for _, a := range []Authority{a, {Name: "sub", Certificate: sub.cert, Parent: "ca", State: Next}} {
			if err := l.SetAuthority(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		check := func(want string) {
			t.Helper()
			all, err := l.Authorities(t.Context())
			got := ""
			for _, a := range all {
				got += fmt.Sprintf("%s %s %s %s %v %v\n", a.Name, a.Certificate.Subject, a.Parent, a.State, a.Issuing, string(a.Fingerprint) == string(fingerprint(a.Certificate)))
			}
			if got != want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
		}
		check("ca CN=Test CA  active true true\nsub CN=Sub ca next false true\n")
		if err := l.SetAuthority(t.Context(), Authority{Name: "sub", Certificate: sub.cert, Parent: "ca", State: Active, Issuing: true}); err != nil {
			t.Fatal(err)
		}
		check("ca CN=Test CA  active false true\nsub CN=Sub ca active true true\n")
	})
}

func TestSetAuthority_refuses(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	root := newAuthority(t, "Test CA", nil)
	for want, a := range map[string]Authority{
		`authority "a": the certificate is missing`: {Name: "a", State: Active},
		"an authority needs a name":                 {Certificate: root.cert, State: Active},
		`the state "" is none of`:                   {Name: "a", Certificate: root.cert},
		"the fingerprint is not that of":            {Name: "a", Certificate: root.cert, State: Active, Fingerprint: make([]byte, 32)},
		`the parent "\xff" is not text`:             {Name: "a", Certificate: root.cert, State: Active, Parent: "\xff"},
	} {
		if err := l.SetAuthority(t.Context(), a); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestRecordCRL(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		c := CRL{Issuer: "0A0B", Number: 1, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 300, SHA256: make([]byte, 32), Entries: 2}
		for _, want := range []int64{1, 2} {
			n, err := l.NextCRL(t.Context(), "0a0b")
			if err != nil || n != want {
				t.Fatalf("next %d, %v; want %d", n, err, want)
			}
			c.Number = n
			if err := l.RecordCRL(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		for n, want := range map[int64]string{2: "CRL 2, or a later one, of the issuer 0a0b is in the ledger already", 1: "is in the ledger already", 0: "is wrong"} {
			again := c
			again.Number = n
			if err := l.RecordCRL(t.Context(), again); !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("number %d again: %v", n, err)
			}
		}
		delta := c
		delta.Number, delta.Base = 5, 2
		if err := l.RecordCRL(t.Context(), delta); err != nil {
			t.Fatal(err)
		}
		if n, err := l.NextCRL(t.Context(), "0A0B"); n != 6 || err != nil {
			t.Errorf("next after 5: %d, %v", n, err)
		}
		c.Seq, c.Issuer = 2, "0a0b"
		if got, err := l.LastCRL(t.Context(), "0a:0b"); err == nil {
			t.Errorf("a key identifier with a colon: %+v", got)
		}
		if got, err := l.LastCRL(t.Context(), "0A0B"); fmt.Sprint(got) != fmt.Sprint(c) || err != nil {
			t.Errorf("got  %v, %v\nwant %v", got, err, c)
		}
		if _, err := l.LastCRL(t.Context(), "ff"); !strings.Contains(fmt.Sprint(err), "a CRL of the issuer ff is not in the ledger") {
			t.Errorf("none: %v", err)
		}
	})
}

func TestKindOf(t *testing.T) {
	root := newAuthority(t, "Test CA", nil)
	for want, c := range map[string]*x509.Certificate{Root: root.cert, Intermediate: newAuthority(t, "Sub", root).cert, Leaf: root.leaf("a")} {
		if got := kindOf(c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
