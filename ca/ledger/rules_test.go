package ledger

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// leafOf signs a leaf for a key.
func (a *authority) leafOf(name string, key *ecdsa.PrivateKey, more ...func(*x509.Certificate)) *x509.Certificate {
	a.tb.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: noon.Add(-5 * time.Minute), NotAfter: noon.Add(24 * time.Hour)}
	for _, change := range more {
		change(template)
	}
	return a.sign(template, a, key)
}

// attempt records a leaf of an authority.
func attempt(t *testing.T, l *Ledger, a *authority, i ca.Issued) (Receipt, error) {
	t.Helper()
	i.Issuer, i.At = a.cert, noon
	return l.Record(t.Context(), i)
}

// kindOfError names the type of an error that says what a rule refused, alone or joined to others.
func kindOfError(err error) string {
	for _, kind := range []struct {
		name string
		is   func(error) bool
	}{
		{"retired", isError[*RetiredError]}, {"revoked issuer", isError[*RevokedIssuerError]}, {"validity", isError[*ca.ValidityError]},
		{"unknown issuer", isError[*UnknownIssuerError]}, {"revoked key", isError[*RevokedKeyError]}, {"revoked", isError[*RevokedError]},
		{"answered", isError[*AnsweredError]}, {"clone", isError[*CloneError]}, {"ended", isError[*EndedError]}, {"not found", isError[*NotFoundError]},
		{"token", isError[*TokenError]}, {"held", isError[*HeldError]}, {"denied", isError[*DeniedError]}, {"grace", isError[*GraceError]}, {"reserved", isError[*ReservedNameError]},
		{"request ID", isError[*RequestIDError]}, {"too many", isError[*TooManyRequestsError]}, {"free", isError[*FreeError]}, {"duplicate", isError[*DuplicateError]}, {"changed", isError[*ChangedError]}, {"clock", isError[*ClockError]}, {"broken", isError[*BrokenError]},
	} {
		if kind.is(err) {
			return kind.name
		}
	}
	return fmt.Sprint(err)
}

func isError[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// renewed gives an authority another certificate for its key, by what more changes.
func renewed(t *testing.T, l *Ledger, a *authority, more func(*x509.Certificate)) {
	t.Helper()
	template := &x509.Certificate{Subject: a.cert.Subject, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, SubjectKeyId: a.cert.SubjectKeyId}
	more(template)
	set, i := named(t, l, a.cert.Subject.CommonName), ca.Issued{Certificate: a.sign(template, a.parent, a.key), At: noon}
	if a.parent != nil {
		i.Issuer = a.parent.cert
	}
	if err := l.WithAuthority(set).RecordIssued(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	a.cert = i.Certificate
}

// The issuer and every authority above it must be known, neither retired nor revoked, and valid.
func TestRecord_issuer(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		retire := func(t *testing.T, a *authority) {
			set := named(t, l, a.cert.Subject.CommonName)
			set.State = Retired
			if err := l.SetAuthorities(t.Context(), set); err != nil {
				t.Fatal(err)
			}
		}
		revoke := func(reason ca.Reason) func(*testing.T, *authority) {
			return func(t *testing.T, a *authority) {
				if err := l.Revoke(t.Context(), [][]byte{fingerprint(a.cert)}, Revocation{Reason: reason, At: noon}); err != nil {
					t.Fatal(err)
				}
			}
		}
		ends := func(t *testing.T, a *authority) {
			renewed(t, l, a, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) })
		}
		begins := func(t *testing.T, a *authority) {
			renewed(t, l, a, func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Minute) })
		}
		for i, tt := range []struct {
			what   string
			change func(*testing.T, *authority)
			want   string
		}{
			{"good", func(*testing.T, *authority) {}, "<nil>"},
			{"retired", retire, "retired"},
			{"revoked", revoke(ca.CACompromise), "revoked issuer"},
			{"held", revoke(ca.CertificateHold), "revoked issuer"},
			{"ended", ends, "validity"},
			{"not begun", begins, "validity"},
		} {
			for above := range 3 {
				root := newAuthority(t, fmt.Sprintf("root %d %d", i, above), nil)
				sub := newAuthority(t, fmt.Sprintf("sub %d %d", i, above), root)
				low := newAuthority(t, fmt.Sprintf("low %d %d", i, above), sub)
				register(t, l, low)
				tt.change(t, []*authority{low, sub, root}[above])
				before := entriesOf(t, l)
				_, err := attempt(t, l, low, ca.Issued{Certificate: low.leaf("web")})
				if got := kindOfError(err); got != tt.want {
					t.Errorf("%s, %d above the issuer: %s; want %s", tt.what, above, got, tt.want)
				}
				if added := entriesOf(t, l) - before; added != 0 && err != nil || added != 1 && err == nil {
					t.Errorf("%s, %d above the issuer: %d entries", tt.what, above, added)
				}
			}
		}
		stranger := newAuthority(t, "stranger", nil)
		if _, err := attempt(t, l, stranger, ca.Issued{Certificate: stranger.leaf("web")}); kindOfError(err) != "unknown issuer" {
			t.Errorf("of no authority: %v", err)
		}
		verified(t, l)
	})
}

// entriesOf is the length of the chain.
func entriesOf(t *testing.T, l *Ledger) int64 {
	t.Helper()
	seq, _, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// An authority that is to issue must be able to.
func TestSetAuthorities_standing(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	root := newAuthority(t, "root", nil)
	sub := newAuthority(t, "sub", root)
	register(t, l, sub)
	set := named(t, l, "root")
	set.State = Retired
	if err := l.SetAuthorities(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	set = named(t, l, "sub")
	set.Issuing = true
	if err := l.SetAuthorities(t.Context(), set); kindOfError(err) != "retired" {
		t.Errorf("below a retired one: %v", err)
	}
}

// A key that was revoked as compromised is never certified again, by any authority and for any
// name; after other reasons only when that is allowed. superseded is no reason against a key.
func TestRecord_revokedKey(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, other := newAuthority(t, "root", nil), newAuthority(t, "other", nil)
		register(t, l, root)
		register(t, l, other)
		for _, reason := range ca.Reasons() {
			if reason == ca.RemoveFromCRL {
				continue
			}
			key, name := newKey(t), "was "+reason.String()
			cert := root.leafOf(name, key)
			add(t, l, ca.Issued{Certificate: cert})
			if err := l.Revoke(t.Context(), [][]byte{fingerprint(cert)}, Revocation{Reason: reason, At: noon}); err != nil {
				t.Fatal(err)
			}
			want, allowed := "revoked key", "<nil>"
			switch reason {
			case ca.KeyCompromise, ca.CACompromise:
				allowed = "revoked key"
			case ca.Superseded:
				want = "<nil>"
			}
			for _, a := range []*authority{root, other} {
				for _, name := range []string{name, a.cert.Subject.CommonName + " " + reason.String()} {
					if _, err := attempt(t, l, a, ca.Issued{Certificate: a.leafOf(name, key)}); kindOfError(err) != want {
						t.Errorf("%s, %q: %v; want %s", reason, name, err, want)
					}
				}
			}
			if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leafOf(name, key), AllowRevokedKey: true}); kindOfError(err) != allowed {
				t.Errorf("%s, allowed: %v; want %s", reason, err, allowed)
			}
		}
		verified(t, l)
	})
}

// What is revoked of a lineage that lives on with the same key is no reason against it.
func TestRecord_revokedKeyInUse(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, key := newAuthority(t, "root", nil), newKey(t)
		first, second := root.leafOf("web", key), root.leafOf("web", key)
		add(t, l, ca.Issued{Certificate: first})
		add(t, l, ca.Issued{Certificate: second, Replaces: fingerprint(first)})
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(first)}, Revocation{Reason: ca.Unspecified, At: noon}); err != nil {
			t.Fatal(err)
		}
		third := root.leafOf("web", key)
		if _, err := attempt(t, l, root, ca.Issued{Certificate: third, Replaces: fingerprint(second)}); err != nil {
			t.Errorf("the newest goes on: %v", err)
		}
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(third)}, Revocation{Reason: ca.Unspecified, At: noon}); err != nil {
			t.Fatal(err)
		}
		if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leafOf("web", key)}); kindOfError(err) != "revoked key" {
			t.Errorf("the newest was revoked: %v", err)
		}
	})
}

// TestRecord_allowedBeside: what is allowed for one certificate is not for another in the same
// transaction.
func TestRecord_allowedBeside(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		key := newKey(t)
		held := root.leafOf("held", key)
		add(t, l, ca.Issued{Certificate: held})
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(held)}, Revocation{Reason: ca.CertificateHold, At: noon}); err != nil {
			t.Fatal(err)
		}
		again := root.leafOf("held", key)
		var jobs []*job
		for _, i := range []ca.Issued{{Certificate: root.leaf("other"), AllowRevokedKey: true}, {Certificate: again}} {
			i.At, i.Issuer = noon, root.cert
			r, err := newRecord(i)
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, &job{record: r, done: make(chan error, 1)})
		}
		l.writer.write(&batch{jobs: jobs})
		if err := <-jobs[0].done; err != nil {
			t.Error(err)
		}
		if refused, ok := errors.AsType[*RevokedKeyError](<-jobs[1].done); !ok || !refused.Allowable {
			t.Error("the key of a certificate on hold is certified again")
		}
	})
}

// Once asks for one valid certificate of a key, subject and issuer, also of a CA.
func TestRecord_once(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, other, key := newAuthority(t, "root", nil), newAuthority(t, "other", nil), newKey(t)
		register(t, l, root)
		register(t, l, other)
		add(t, l, ca.Issued{Certificate: root.leafOf("old", key, valid(-2*time.Hour, -time.Hour))})
		ofCA := func() *x509.Certificate {
			return root.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "sub"}, IsCA: true, BasicConstraintsValid: true, NotBefore: noon, NotAfter: noon.Add(time.Hour)}, root, key)
		}
		for _, tt := range []struct {
			what string
			by   *authority
			cert *x509.Certificate
			want string
		}{
			{"first", root, root.leafOf("web", key), "<nil>"},
			{"again", root, root.leafOf("web", key), "answered"},
			{"another key", root, root.leafOf("web", newKey(t)), "<nil>"},
			{"another name", root, root.leafOf("db", key), "<nil>"},
			{"another issuer", other, other.leafOf("db", key), "<nil>"},
			{"after one that has expired", root, root.leafOf("old", key), "<nil>"},
			{"a CA", root, ofCA(), "<nil>"},
			{"the CA again", root, ofCA(), "answered"},
		} {
			if _, err := attempt(t, l, tt.by, ca.Issued{Certificate: tt.cert, Once: true}); kindOfError(err) != tt.want {
				t.Errorf("%s: %v; want %s", tt.what, err, tt.want)
			}
		}
		verified(t, l)
	})
}

// Time does not run backwards: a clock that is behind writes, and decides, by the last entry's.
func TestRecord_clockBehind(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		create(t, where)
		at := noon
		l, err := Open(t.Context(), where, Options{Now: func() time.Time { return at }, AnyClock: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		root := newAuthority(t, "root", nil)
		short := newAuthority(t, "short", root)
		register(t, l, short)
		renewed(t, l, short, func(c *x509.Certificate) { c.NotAfter = noon.Add(time.Minute) })
		at = noon.Add(2 * time.Minute)
		if err := l.Revoke(t.Context(), [][]byte{recorded(t, l, root, at)}, Revocation{Reason: ca.Superseded, At: at}); err != nil {
			t.Fatal(err)
		}
		at = noon
		if _, err := attempt(t, l, short, ca.Issued{Certificate: short.leaf("late")}); kindOfError(err) != "validity" {
			t.Errorf("an issuer that has ended for the last entry: %v", err)
		}
		receipt, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("web")})
		if err != nil || receipt.At.Before(noon.Add(2*time.Minute)) {
			t.Errorf("recorded at %v, %v", receipt.At, err)
		}
		last := time.Time{}
		for e, err := range l.Entries(t.Context(), 0) {
			if err != nil || e.At.Before(last) {
				t.Errorf("entry %d is of %v, after %v, %v", e.Seq, e.At, last, err)
			}
			last = e.At
		}
		verified(t, l)
	})
}

// recorded records a leaf at a time, and returns its fingerprint.
func recorded(t *testing.T, l *Ledger, a *authority, at time.Time) []byte {
	t.Helper()
	cert := a.leaf("at")
	add(t, l, ca.Issued{Certificate: cert, At: at})
	return fingerprint(cert)
}

// A clock more than two minutes from the server's writes nothing there.
func TestRecord_clockSkew(t *testing.T) {
	for name, where := range map[string]string{"postgres": testenv.Postgres(t), "pgbouncer": testenv.PGBouncer(t)} {
		t.Run(name, func(t *testing.T) {
			create(t, where)
			for off, want := range map[time.Duration]string{0: "<nil>", time.Minute: "<nil>", -time.Minute: "<nil>", 3 * time.Minute: "clock", -3 * time.Minute: "clock", time.Hour: "clock"} {
				l, err := Open(t.Context(), where, Options{Now: func() time.Time { return time.Now().Add(off) }})
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				before := entriesOf(t, l)
				cert := newAuthority(t, "root", nil).cert
				err = l.RecordIssued(t.Context(), ca.Issued{Certificate: cert, At: time.Now()})
				if kindOfError(err) != want || want == "clock" && entriesOf(t, l) != before {
					t.Errorf("off by %s: %v; want %s", off, err, want)
				}
			}
		})
	}
}

// A statement that does not change what it has to ends the transaction: a trigger of another hand
// keeps a revocation out.
func TestRevoke_trigger(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	root := newAuthority(t, "root", nil)
	cert := root.leaf("web")
	add(t, l, ca.Issued{Certificate: cert})
	execAll(t, l, "CREATE TRIGGER hidden BEFORE UPDATE OF revoked_at ON certificates BEGIN SELECT RAISE(IGNORE); END")
	before := entriesOf(t, l)
	err := l.Revoke(t.Context(), [][]byte{fingerprint(cert)}, Revocation{Reason: ca.KeyCompromise, At: noon})
	if kindOfError(err) != "broken" || entriesOf(t, l) != before {
		t.Errorf("%v, %d entries more", err, entriesOf(t, l)-before)
	}
}

// Revocations belong to the key of an authority, whatever key identifier its certificate has.
func TestRevoked_otherKeyID(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "root", nil)
		early := root.leaf("early")
		add(t, l, ca.Issued{Certificate: early})
		if err := l.RecordCRL(t.Context(), listOf(root, 7)); err != nil {
			t.Fatal(err)
		}
		renewed(t, l, root, func(c *x509.Certificate) { c.SubjectKeyId = []byte("another") })
		late := root.leaf("late")
		if _, err := attempt(t, l, root, ca.Issued{Certificate: late}); err != nil {
			t.Fatal(err)
		}
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(early), fingerprint(late)}, Revocation{Reason: ca.KeyCompromise, At: noon}); err != nil {
			t.Fatal(err)
		}
		if got := serialsOn(t, l, root); len(got) != 2 {
			t.Errorf("%d are on the list", len(got))
		}
		if n, err := l.NextCRL(t.Context(), root.cert); n != 8 || err != nil {
			t.Errorf("the next list is %d, %v", n, err)
		}
		if err := l.RecordCRL(t.Context(), listOf(root, 7)); kindOfError(err) != "duplicate" {
			t.Errorf("a number of before: %v", err)
		}
		verified(t, l)
	})
}

// listOf is a complete CRL of an authority.
func listOf(a *authority, number int64) CRL {
	return CRL{Authority: a.cert, Number: number, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 300, SHA256: make([]byte, hashSize)}
}

// serialsOn are those that the next list of an authority has.
func serialsOn(t *testing.T, l *Ledger, a *authority) []string {
	t.Helper()
	revoked, err := l.Revoked(t.Context(), a.cert, noon)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range revoked {
		all = append(all, fmt.Sprintf("%x:%d", r.Serial, r.Reason))
	}
	slices.Sort(all)
	return all
}

// A list that is taken in revokes certificates that the ledger has, and serials that it does not
// have; one that is dropped revokes nothing, and is an entry.
func TestTakeList(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "root", nil)
		known := root.leaf("known", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x11) })
		add(t, l, ca.Issued{Certificate: known})
		list := ForeignList{CRL: listOf(root, 5), Revoked: []ca.Revocation{{Serial: big.NewInt(0x11), At: noon, Reason: ca.KeyCompromise}, {Serial: big.NewInt(0x22), At: noon, Reason: ca.Superseded}}}
		m, err := l.Missing(t.Context(), list, noon)
		if err != nil || !m.Number || len(m.Revoked) != 2 {
			t.Fatalf("%+v, %v", m, err)
		}
		for range 2 { // the second time nothing is missing
			if err := l.TakeList(t.Context(), list, "restored"); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(serialsOn(t, l, root)); got != "[11:1 22:4]" {
			t.Errorf("the next list has %s", got)
		}
		if n, err := l.NextCRL(t.Context(), root.cert); n != 6 || err != nil {
			t.Errorf("its number is %d, %v", n, err)
		}
		if m, err := l.Missing(t.Context(), list, noon); !m.None() || err != nil {
			t.Errorf("missing afterwards: %+v, %v", m, err)
		}
		list.CRL, list.Revoked = listOf(root, 9), []ca.Revocation{{Serial: big.NewInt(0x33), At: noon, Reason: ca.KeyCompromise}}
		if err := l.DropList(t.Context(), list, "a mistake"); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(serialsOn(t, l, root)); got != "[11:1 22:4]" {
			t.Errorf("after one that was dropped: %s", got)
		}
		var dropped []string
		for e, err := range l.Entries(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == kindList && strings.Contains(e.Body, `"dropped":["33"]`) {
				dropped = append(dropped, e.Body)
			}
		}
		if len(dropped) != 1 || entriesOf(t, l) != 5 {
			t.Errorf("%d entries, dropped: %v", entriesOf(t, l), dropped)
		}
		verified(t, l)
	})
}

// Import takes what the key of an authority signed, in whatever state that is, and nothing else. It
// brings its revocation, or that of a list.
func TestImport(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, stranger := newAuthority(t, "root", nil), newAuthority(t, "stranger", nil)
		register(t, l, root)
		list := ForeignList{CRL: listOf(root, 5), Revoked: []ca.Revocation{{Serial: big.NewInt(0x22), At: noon, Reason: ca.KeyCompromise}}}
		if err := l.TakeList(t.Context(), list, "restored"); err != nil {
			t.Fatal(err)
		}
		set := named(t, l, "root")
		set.State = Retired
		if err := l.SetAuthorities(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		of := func(a *authority, name string, serial int64, then *ca.Revocation) Import {
			cert := a.leaf(name, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(serial) })
			return Import{Issued: ca.Issued{Certificate: cert, Issuer: a.cert, At: noon}, Revoked: then}
		}
		all := []Import{of(root, "good", 0x11, nil), of(root, "listed", 0x22, nil), of(root, "revoked", 0x33, &ca.Revocation{At: noon, Reason: ca.CACompromise})}
		for _, want := range []string{"{3 2 map[]}", "{0 0 map[]}"} { // again: nothing is new
			if done, err := l.Import(t.Context(), "", all); fmt.Sprint(done) != want || err != nil {
				t.Errorf("%v, %v; want %s", done, err, want)
			}
		}
		if got := fmt.Sprint(serialsOn(t, l, root)); got != "[22:1 33:2]" {
			t.Errorf("the next list has %s", got)
		}
		before := entriesOf(t, l)
		if _, err := l.Import(t.Context(), "", []Import{of(root, "more", 0x44, nil), of(stranger, "foreign", 0x55, nil)}); kindOfError(err) != "unknown issuer" || entriesOf(t, l) != before {
			t.Errorf("of no authority: %v, %d entries more", err, entriesOf(t, l)-before)
		}
		if done, err := l.Import(t.Context(), "", []Import{of(root, "same serial", 0x11, nil)}); len(done.Refused) != 1 || err != nil {
			t.Errorf("a serial number that is there: %v, %v", done, err)
		}
		verified(t, l)
	})
}

// A recorder of an authority records both or nothing.
func TestWithAuthority_both(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	root := newAuthority(t, "root", nil)
	register(t, l, root)
	stale := Authority{Name: "root", State: Active, Seq: 99}
	cert := root.sign(&x509.Certificate{Subject: root.cert.Subject, IsCA: true, BasicConstraintsValid: true, NotBefore: noon, NotAfter: noon.Add(time.Hour)}, nil, root.key)
	before := entriesOf(t, l)
	err := l.WithAuthority(stale).RecordIssued(context.Background(), ca.Issued{Certificate: cert, At: noon})
	if kindOfError(err) != "changed" || entriesOf(t, l) != before {
		t.Errorf("%v, %d entries more", err, entriesOf(t, l)-before)
	}
}
