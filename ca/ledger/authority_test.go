package ledger

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kedge/ca"
)

func TestSetAuthorities(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		sub := newAuthority(t, "Sub", root)
		a := Authority{Name: "ca", Certificate: root.cert, State: Active, Issuing: true}
		if err := l.SetAuthorities(t.Context(), a); !strings.Contains(fmt.Sprint(err), `authority "ca": a certificate with the SHA-256`) {
			t.Errorf("not recorded: %v", err)
		}
		if err := l.WithAuthority(a).RecordIssued(t.Context(), ca.Issued{Certificate: root.cert, At: noon}); err != nil {
			t.Fatal(err)
		}
		next := Authority{Name: "sub", Parent: "ca", State: Next}
		if err := l.WithAuthority(next).RecordIssued(t.Context(), ca.Issued{Certificate: sub.cert, Issuer: root.cert, At: noon}); err != nil {
			t.Fatal(err)
		}
		check := func(want string) []Authority {
			t.Helper()
			all, err := l.Authorities(t.Context())
			got := ""
			for _, a := range all {
				got += fmt.Sprintf("%s %s %s %s %v %v\n", a.Name, a.Certificate.Subject, a.Parent, a.State, a.Issuing, string(a.Fingerprint) == string(fingerprint(a.Certificate)))
			}
			if got != want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
			return all
		}
		all := check("ca CN=Test CA  active true true\nsub CN=Sub ca next false true\n")
		all[1].State, all[1].Issuing = Active, true
		if err := l.SetAuthorities(t.Context(), all[1]); err != nil {
			t.Fatal(err)
		}
		check("ca CN=Test CA  active false true\nsub CN=Sub ca active true true\n")
		verified(t, l)
	})
}

// verified fails the test when the ledger is not what was written.
func verified(t *testing.T, l *Ledger) {
	t.Helper()
	report, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil || !report.OK() {
		t.Fatalf("verify: %v, %v", report.Faults, err)
	}
}

func TestSetAuthorities_refuses(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	root := newAuthority(t, "Test CA", nil)
	for want, a := range map[string]Authority{
		`authority "a": the certificate is missing`: {Name: "a", State: Active},
		"an authority needs a name":                 {Certificate: root.cert, State: Active},
		`the state "" is none of`:                   {Name: "a", Certificate: root.cert},
		"it cannot issue and be next":               {Name: "a", Certificate: root.cert, State: Next, Issuing: true},
		`the parent "\xff" is not text`:             {Name: "a", Certificate: root.cert, State: Active, Parent: "\xff"},
	} {
		if err := l.SetAuthorities(t.Context(), a); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// A stale copy of an authority must not bring back what was changed since: a retired one, or
// one that no longer issues.
func TestSetAuthorities_stale(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, other := newAuthority(t, "Test CA", nil), newAuthority(t, "Other", nil)
		register(t, l, root)
		register(t, l, other)
		set := func(a Authority, change func(*Authority)) error {
			change(&a)
			return l.SetAuthorities(t.Context(), a)
		}
		stale := named(t, l, "Test CA")
		if err := set(stale, func(a *Authority) { a.State = Retired }); err != nil {
			t.Fatal(err)
		}
		changed := func(err error) bool { _, ok := errors.AsType[*ChangedError](err); return ok }
		if err := set(stale, func(*Authority) {}); !changed(err) {
			t.Errorf("a retired authority is active again: %v", err)
		}
		if err := set(named(t, l, "Test CA"), func(a *Authority) { a.State = Active; a.Issuing = true }); err != nil {
			t.Fatal(err)
		}
		stale = named(t, l, "Test CA")
		if err := set(named(t, l, "Other"), func(a *Authority) { a.Issuing = true }); err != nil {
			t.Fatal(err)
		}
		if err := set(stale, func(*Authority) {}); !changed(err) {
			t.Errorf("one that no longer issues was given it back: %v", err)
		}
		if err := l.SetAuthorities(t.Context(), Authority{Name: "Other", Certificate: other.cert, State: Active}); !changed(err) {
			t.Errorf("a new one in the place of another: %v", err)
		}
		if err := set(named(t, l, "Other"), func(a *Authority) { a.Certificate = root.cert }); !strings.Contains(fmt.Sprint(err), "its key would be another") {
			t.Errorf("another key: %v", err)
		}
		verified(t, l)
	})
}

// What is to be set together is, or not at all.
func TestSetAuthorities_allOrNone(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	register(t, l, newAuthority(t, "Test CA", nil))
	register(t, l, newAuthority(t, "Other", nil))
	all, err := l.Authorities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all[0].State, all[1].Seq = Retired, 99
	if err := l.SetAuthorities(t.Context(), all...); err == nil {
		t.Error("a stale one was taken")
	}
	if got := named(t, l, all[0].Name); got.State != Active {
		t.Errorf("half was set: %+v", got)
	}
}

func TestRecordCRL(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		c := CRL{Authority: root.cert, Number: 1, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 300, SHA256: make([]byte, 32), Entries: 2}
		if err := l.RecordCRL(t.Context(), c); !strings.Contains(fmt.Sprint(err), `an authority with the key of "CN=Test CA" is not in`) {
			t.Errorf("of no authority: %v", err)
		}
		register(t, l, root)
		for _, want := range []int64{1, 2} {
			n, err := l.NextCRL(t.Context(), root.cert)
			if err != nil || n != want {
				t.Fatalf("next %d, %v; want %d", n, err, want)
			}
			c.Number = n
			if err := l.RecordCRL(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		for n, want := range map[int64]string{2: `CRL 2, or a later one, of the issuer "CN=Test CA" is in the ledger already`, 1: "is in the ledger already", 0: "is wrong"} {
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
		if n, err := l.NextCRL(t.Context(), root.cert); n != 6 || err != nil {
			t.Errorf("next after 5: %d, %v", n, err)
		}
		c.Authority, c.Seq, c.Issuer = nil, 4, hex.EncodeToString(root.cert.SubjectKeyId)
		if got, err := l.LastCRL(t.Context(), root.cert); fmt.Sprint(got) != fmt.Sprint(c) || err != nil {
			t.Errorf("got  %v, %v\nwant %v", got, err, c)
		}
		if _, err := l.LastCRL(t.Context(), newAuthority(t, "Other", nil).cert); !strings.Contains(fmt.Sprint(err), `a CRL of "CN=Other" is not in the ledger`) {
			t.Errorf("none: %v", err)
		}
		verified(t, l)
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
