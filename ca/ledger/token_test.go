package ledger

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
)

// why names what a rule refused, for a token with its reason.
func why(err error) string {
	if token, ok := errors.AsType[*TokenError](err); ok {
		return token.Why.String()
	}
	return kindOfError(err)
}

// Each condition of a token, each refusal without a trace.
func TestEnroll_token(t *testing.T) {
	key := newKey(t)
	public := sha256.Sum256(publicDER(t, key))
	from := func(address string) func(*ca.Enrollment) {
		return func(e *ca.Enrollment) { e.Address = netip.MustParseAddr(address) }
	}
	in := func(networks ...string) func(*Token) {
		return func(t *Token) {
			for _, n := range networks {
				t.Networks = append(t.Networks, netip.MustParsePrefix(n))
			}
		}
	}
	pattern := func(p string) func(*Token) { return func(t *Token) { t.Names, t.Pattern = nil, p } }
	secret := func(s []byte) func(*ca.Enrollment) { return func(e *ca.Enrollment) { e.Secret = s } }
	id := func(id []byte) func(*ca.Enrollment) { return func(e *ca.Enrollment) { e.Token = id } }
	later := func(d time.Duration) func(*testing.T, *Ledger, *clock) {
		return func(_ *testing.T, _ *Ledger, c *clock) { c.set(noon.Add(d)) }
	}
	revoke := func(t *testing.T, l *Ledger, _ *clock) {
		if _, err := l.RevokeToken(t.Context(), newToken(1).ID, false, "lost"); err != nil {
			t.Fatal(err)
		}
	}
	void := func(t *testing.T, l *Ledger, _ *clock) { voided(t, l) }
	tests := []struct {
		what   string
		token  func(*Token)
		proof  func(*ca.Enrollment)
		before func(*testing.T, *Ledger, *clock)
		want   string
	}{
		{what: "good", want: "<nil>"},
		{what: "no ID", proof: id(nil), want: "is not in the ledger"},
		{what: "other ID", proof: id(bytes.Repeat([]byte{9}, TokenIDSize)), want: "is not in the ledger"},
		{what: "cut ID", proof: id(newToken(1).ID[:11]), want: "is not in the ledger"},
		{what: "long ID", proof: id(bytes.Repeat([]byte{1}, 1000)), want: "is not in the ledger"},
		{what: "no secret", proof: secret(nil), want: "has another secret"},
		{what: "cut secret", proof: secret(newToken(1).SecretHash[:31]), want: "has another secret"},
		{what: "another's secret", proof: secret(newToken(2).SecretHash), want: "has another secret"},
		{what: "the ID as secret", proof: secret(newToken(1).ID), want: "has another secret"},
		{what: "revoked", before: revoke, want: "was revoked"},
		{what: "void", before: void, want: "was made before the ledger was restored, and is void"},
		{what: "at its end", before: later(time.Hour), want: "<nil>"},
		{what: "after its end", before: later(time.Hour + time.Microsecond), want: "has expired"},
		{what: "a day after", before: later(25 * time.Hour), want: "has expired"},
		{what: "network", token: in("192.0.2.0/24", "10.0.0.0/8"), want: "<nil>"},
		{what: "another network", token: in("192.0.2.0/24"), want: "cannot be used from this network"},
		{what: "one address", token: in("10.0.0.9/32"), want: "<nil>"},
		{what: "the next address", token: in("10.0.0.8/32"), want: "cannot be used from this network"},
		{what: "IPv4 in IPv6", token: in("10.0.0.0/8"), proof: from("::ffff:10.0.0.9"), want: "<nil>"},
		{what: "IPv6", token: in("2001:db8::/32"), proof: from("2001:db8::1"), want: "<nil>"},
		{what: "IPv6 for IPv4", token: in("10.0.0.0/8"), proof: from("2001:db8::1"), want: "cannot be used from this network"},
		{what: "zone", token: in("fe80::/10"), proof: from("fe80::1%eth0"), want: "<nil>"},
		{what: "no address", token: in("0.0.0.0/0"), proof: func(e *ca.Enrollment) { e.Address = netip.Addr{} }, want: "cannot be used from this network"},
		{what: "no address, any network", proof: func(e *ca.Enrollment) { e.Address = netip.Addr{} }, want: "<nil>"},
		{what: "its key", token: func(t *Token) { t.ForKey = public[:] }, want: "<nil>"},
		{what: "another key", token: func(t *Token) { t.ForKey = make([]byte, 32) }, want: "is for another key"},
		{what: "another profile", token: func(t *Token) { t.Profile = "admin" }, want: "is for another profile"},
		{what: "another name", token: func(t *Token) { t.Names = []string{"web-01"} }, want: "is for other names"},
		{what: "case", token: func(t *Token) { t.Names = []string{"Web"} }, want: "is for other names"},
		{what: "one of several", token: func(t *Token) { t.Names, t.Uses = []string{"db", "web"}, 2 }, want: "<nil>"},
		{what: "none of several", token: func(t *Token) { t.Names, t.Uses = []string{"db", "web-1"}, 2 }, want: "is for other names"},
		{what: "pattern", token: pattern("w*"), want: "<nil>"},
		{what: "exact pattern", token: pattern("web"), want: "<nil>"},
		{what: "any", token: pattern("**"), want: "<nil>"},
		{what: "short pattern", token: pattern("w"), want: "is for other names"},
		{what: "other pattern", token: pattern("web-*"), want: "is for other names"},
		{what: "one character", token: pattern("we?"), want: "<nil>"},
	}
	twoEngines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		for _, tt := range tests {
			token := newToken(1)
			if tt.token != nil {
				tt.token(&token)
			}
			if err := l.AddTokens(t.Context(), []Token{token}); err != nil {
				t.Fatalf("%s: %v", tt.what, err)
			}
			if tt.before != nil {
				tt.before(t, l, c)
			}
			e := with(token)
			if tt.proof != nil {
				tt.proof(e)
			}
			before := entriesOf(t, l)
			err := enroll(t, l, root, e, root.leafOf("web", key))
			if got := why(err); got != tt.want {
				t.Errorf("%s: %s; want %s", tt.what, got, tt.want)
			}
			now, _ := l.Token(t.Context(), token.ID)
			if added := entriesOf(t, l) - before; added != int64(now.Used) || (err == nil) != (added == 1) {
				t.Errorf("%s: %d entries, %d uses", tt.what, added, now.Used)
			}
			c.set(noon)
			if err == nil {
				verified(t, l)
			}
			anew(t, l)
		}
	})
}

// anew takes out of a ledger what a test of one token did, past kedge.
func anew(t *testing.T, l *Ledger) {
	t.Helper()
	const first = 3 // entries: those of the root
	for _, text := range []string{"DELETE FROM tokens", "DELETE FROM token_uses", "DELETE FROM requests", "DELETE FROM denials", "DELETE FROM lineages", "DELETE FROM names WHERE seq >= 3",
		"DELETE FROM certificates WHERE seq >= 3", "DELETE FROM entries WHERE seq >= 3", "UPDATE head SET seq = 2, tail = -2, hash = (SELECT hash FROM entries WHERE seq = 2), at = (SELECT at FROM entries WHERE seq = 2)"} {
		if _, err := l.db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if n := entriesOf(t, l); n != first-1 {
		t.Fatalf("%d entries", n)
	}
}

// voided makes the tokens of a ledger void, as a restore does.
func voided(t *testing.T, l *Ledger) {
	t.Helper()
	if err := l.alone(t.Context(), func(ctx context.Context, t *transaction) error { return t.recordRestore(ctx) }); err != nil {
		t.Fatal(err)
	}
}

func publicDER(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The same token with the same key gives the same certificate, as long as that stands; with another
// key nothing.
func TestEnroll_again(t *testing.T) {
	key := newKey(t)
	other := newKey(t)
	org := func(c *x509.Certificate) { c.Subject.Organization = []string{"Example"} }
	revoke := func(reason ca.Reason) func(*testing.T, *Ledger, *clock) {
		return func(t *testing.T, l *Ledger, _ *clock) {
			for c := range l.List(t.Context(), Filter{CommonName: "web"}) {
				if err := l.Revoke(t.Context(), [][]byte{c.Fingerprint}, Revocation{Reason: reason, At: noon}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	later := func(d time.Duration) func(*testing.T, *Ledger, *clock) {
		return func(_ *testing.T, _ *Ledger, c *clock) { c.set(noon.Add(d)) }
	}
	tests := []struct {
		what   string
		before func(*testing.T, *Ledger, *clock)
		key    *ecdsa.PrivateKey
		name   string
		more   func(*x509.Certificate)
		secret []byte
		want   string
	}{
		{what: "at once", want: "answered"},
		{what: "after the end of the token", before: later(2 * time.Hour), want: "answered"},
		{what: "after the end of the certificate", before: later(25 * time.Hour), want: "has expired"},
		{what: "another key", key: other, want: "was used before"},
		{what: "another key, later", key: other, before: later(2 * time.Hour), want: "has expired"},
		{what: "another name", name: "db", want: "is for other names"},
		{what: "another subject", more: org, want: "is for other names"},
		{what: "another secret", secret: make([]byte, 32), want: "has another secret"},
		{what: "revoked certificate", before: revoke(ca.KeyCompromise), want: "was used before"},
		{what: "superseded certificate", before: revoke(ca.Superseded), want: "was used before"},
		{what: "held certificate", before: revoke(ca.CertificateHold), want: "was used before"},
		{what: "denied", before: func(t *testing.T, l *Ledger, _ *clock) {
			if err := l.DenyRenewal(t.Context(), "web", ""); err != nil {
				t.Fatal(err)
			}
		}, want: "denied"},
		{what: "revoked token", before: func(t *testing.T, l *Ledger, _ *clock) {
			if _, err := l.RevokeToken(t.Context(), newToken(1).ID, false, ""); err != nil {
				t.Fatal(err)
			}
		}, want: "was revoked"},
		{what: "void token", before: func(t *testing.T, l *Ledger, _ *clock) { voided(t, l) }, want: "was made before the ledger was restored, and is void"},
		{what: "decommissioned", before: func(t *testing.T, l *Ledger, _ *clock) {
			if _, err := l.Decommission(t.Context(), "web", ""); err != nil {
				t.Fatal(err)
			}
		}, want: "was revoked"},
	}
	twoEngines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		for _, tt := range tests {
			e := madeToken(t, l, 1, func(t *Token) { t.Names = []string{"web", "db"} })
			first := root.leafOf("web", key)
			if err := enroll(t, l, root, e, first); err != nil {
				t.Fatalf("%s: %v", tt.what, err)
			}
			if tt.before != nil {
				tt.before(t, l, c)
			}
			if tt.secret != nil {
				e.Secret = tt.secret
			}
			if tt.key == nil {
				tt.key = key
			}
			if tt.name == "" {
				tt.name = "web"
			}
			if tt.more == nil {
				tt.more = func(*x509.Certificate) {}
			}
			before := entriesOf(t, l)
			err := enroll(t, l, root, e, root.leafOf(tt.name, tt.key, tt.more))
			if got := why(err); got != tt.want || entriesOf(t, l) != before {
				t.Errorf("%s: %s; want %s", tt.what, got, tt.want)
			}
			if answered, ok := errors.AsType[*AnsweredError](err); ok && !bytes.Equal(answered.Newest.Fingerprint, fingerprint(first)) {
				t.Errorf("%s: another certificate", tt.what)
			}
			c.set(noon)
			if !isPostgres(where) {
				verified(t, l)
			}
			anew(t, l)
		}
	})
}

// A token gives as many certificates as it has uses, however many hosts use it at once, by whatever
// server: with one key always one.
func TestEnroll_parallel(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		first, _, root := createAt(t, where)
		second := create(t, where)
		const hosts = 50
		for i, tt := range []struct {
			what     string
			uses     int
			keys     int
			names    int
			given    int
			answered bool
		}{
			{"one use, one key", 1, 1, 1, 1, true},
			{"one use, a key each", 1, hosts, 1, 1, false},
			{"one use, a key and a name each", 1, hosts, hosts, 1, false},
			{"twenty uses", 20, hosts, hosts, 20, false},
			{"twenty uses, one key", 20, 1, 1, 1, true},
			{"as many uses as hosts", hosts, hosts, hosts, hosts, false},
		} {
			e := madeToken(t, first, byte(i+1), func(token *Token) {
				token.Names, token.Pattern, token.Uses = nil, fmt.Sprintf("host-%d-*", i), tt.uses
			})
			var certs []*x509.Certificate
			var keys []*ecdsa.PrivateKey
			for n := range hosts {
				if n < tt.keys {
					keys = append(keys, newKey(t))
				}
				certs = append(certs, root.leafOf(fmt.Sprintf("host-%d-%d", i, n%tt.names), keys[n%tt.keys]))
			}
			results := enrollAll(t, []*Ledger{first, second}, root, e, certs)
			want := map[string]int{"<nil>": tt.given}
			if rest := hosts - tt.given; rest > 0 && tt.answered {
				want["answered"] = rest
			} else if rest > 0 {
				want["was used before"] = rest
			}
			if fmt.Sprint(results) != fmt.Sprint(want) {
				t.Errorf("%s: %v; want %v", tt.what, results, want)
			}
			if token, err := first.Token(t.Context(), e.Token); err != nil || token.Used != tt.given {
				t.Errorf("%s: %d uses, %v", tt.what, token.Used, err)
			}
		}
		verified(t, first)
	})
}

// enrollAll records all at once, and counts the results.
func enrollAll(t *testing.T, ledgers []*Ledger, a *authority, e *ca.Enrollment, certs []*x509.Certificate) map[string]int {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	results := map[string]int{}
	for i, cert := range certs {
		group.Go(func() {
			_, err := ledgers[i%len(ledgers)].Record(t.Context(), ca.Issued{Certificate: cert, Issuer: a.cert, At: noon, Profile: "workload", Enrollment: e})
			mu.Lock()
			defer mu.Unlock()
			results[why(err)]++
		})
	}
	group.Wait()
	return results
}

func TestAddTokens(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		add(t, l, ca.Issued{Certificate: root.leaf("held")})
		if err := l.DenyRenewal(t.Context(), "held", "lost"); err != nil {
			t.Fatal(err)
		}
		add(t, l, ca.Issued{Certificate: root.leaf("taken")})
		madeToken(t, l, 1)
		for what, change := range map[string]func(*Token){
			"make a token: its ID or the hash of its secret has the wrong size":              func(t *Token) { t.ID = t.ID[:8] },
			"make a token: its ID or the hash of its secret has the wrong size ":             func(t *Token) { t.SecretHash = nil },
			"make a token: it needs names or a pattern for them, and not both":               func(t *Token) { t.Names = nil },
			"make a token: it needs names or a pattern for them, and not both ":              func(t *Token) { t.Pattern = "*" },
			"make a token: a name is empty":                                                  func(t *Token) { t.Names = append(t.Names, "") },
			"make a token: the profile is missing":                                           func(t *Token) { t.Profile = "" },
			"make a token: it needs one use at least":                                        func(t *Token) { t.Uses = 0 },
			"make a token: it would have expired when it is made":                            func(t *Token) { t.Expires = t.At },
			"make a token: it would have expired when it is made ":                           func(t *Token) { t.At = time.Time{} },
			"make a token: the hash of the key is no SHA-256":                                func(t *Token) { t.ForKey = []byte{1} },
			"make a token: one that may replace a host's key is for one use and one name":    func(t *Token) { t.Replace, t.Uses = true, 2 },
			"make a token: one that may replace a host's key is for one use and one name ":   func(t *Token) { t.Replace, t.Names, t.Pattern = true, nil, "*" },
			`make a token: the name "a\nb" has a control character`:                          func(t *Token) { t.Names = []string{"a\nb"} },
			`make a token: the name "a\x1b[2J" has a control character`:                      func(t *Token) { t.Names = []string{"a\x1b[2J"} },
			`make a token: the pattern "a\r*" has a control character`:                       func(t *Token) { t.Names, t.Pattern = nil, "a\r*" },
			`make a token: the name "a\xff" is not text`:                                     func(t *Token) { t.Names = []string{"a\xff"} },
			`make a token: the reason "\x00" is not text`:                                    func(t *Token) { t.Why = "\x00" },
			`make a token: "invalid Prefix" is no network`:                                   func(t *Token) { t.Networks = make([]netip.Prefix, 1) },
			"the token 010101010101010101010101 is in the ledger already":                    func(t *Token) { t.ID = newToken(1).ID },
			`certificates for the name "held" are denied since 2026-11-01T12:00:00Z: lost`:   func(t *Token) { t.Names = []string{"held"} },
			`certificates for the name "held" are denied since 2026-11-01T12:00:00Z: lost `:  func(t *Token) { t.Names, t.Replace = []string{"held"}, true },
			`the name "taken" is held by another key`:                                        func(t *Token) { t.Names = []string{"taken"} },
			`the name "taken" is held by another key, that of the certificate with serial `:  func(t *Token) { t.Names, t.Uses = []string{"new", "taken"}, 2 },
			`the name "taken" is held by another key, that of the certificate with serial  `: func(t *Token) { t.Names, t.ForKey = []string{"taken"}, make([]byte, 32) },
		} {
			before := entriesOf(t, l)
			err := l.AddTokens(t.Context(), []Token{newToken(2), newToken(3, change)})
			if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(what)) || entriesOf(t, l) != before {
				t.Errorf("%v; want %s", err, what)
			}
		}
		if err := l.AddTokens(t.Context(), nil); err == nil {
			t.Error("none is taken")
		}
		if err := l.AddTokens(t.Context(), []Token{newToken(2), newToken(3), newToken(4, func(t *Token) { t.Names, t.Replace = []string{"taken"}, true })}); err != nil {
			t.Error(err)
		}
		verified(t, l)
	})
}

func TestTokens(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, _ := createAt(t, where)
		key := sha256.Sum256([]byte("key"))
		want := []Token{newToken(7), newToken(3, func(t *Token) {
			t.Names, t.Pattern, t.Uses, t.Why = nil, "web-*", 500, "rack \"7\""
			t.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
		}), newToken(5, func(t *Token) { t.Names, t.ForKey, t.Replace = []string{"Büro, Zürich"}, key[:], true })}
		if err := l.AddTokens(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		i := 0
		for got, err := range l.Tokens(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			want[i].Seq = int64(3 + i)
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want[i]) {
				t.Errorf("got  %+v\nwant %+v", got, want[i])
			}
			one, err := l.Token(t.Context(), got.ID)
			if err != nil || fmt.Sprintf("%+v", one) != fmt.Sprintf("%+v", got) {
				t.Errorf("%+v, %v", one, err)
			}
			i++
		}
		if _, err := l.Token(t.Context(), newToken(9).ID); why(err) != "is not in the ledger" || i != 3 {
			t.Errorf("%d tokens, %v", i, err)
		}
		voided(t, l)
		if got, err := l.Token(t.Context(), newToken(3).ID); err != nil || !got.Void {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A revoked token gives nothing; its certificates go with it, with those that have replaced them.
func TestRevokeToken(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		e := madeToken(t, l, 1, func(t *Token) { t.Names, t.Pattern, t.Uses = nil, "host-*", 9 })
		old, short, other := root.leaf("host-1"), root.leaf("host-2", valid(-time.Hour, time.Minute)), root.leaf("host-3")
		for _, cert := range []*x509.Certificate{old, short, other} {
			if err := enroll(t, l, root, e, cert); err != nil {
				t.Fatal(err)
			}
		}
		next, err := renewBy(t, l, root, old, newKey(t), ca.Enrollment{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		add(t, l, ca.Issued{Certificate: root.leaf("host-4")})
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(other)}, Revocation{Reason: ca.KeyCompromise, At: noon}); err != nil {
			t.Fatal(err)
		}
		c.set(noon.Add(time.Hour)) // short has expired, and could be renewed
		if _, err := l.RevokeToken(t.Context(), newToken(9).ID, true, ""); why(err) != "is not in the ledger" {
			t.Errorf("unknown: %v", err)
		}
		if got, err := l.RevokeToken(t.Context(), e.Token, false, "lost"); len(got) != 0 || err != nil {
			t.Errorf("the token alone: %d, %v", len(got), err)
		}
		if _, err := l.RevokeToken(t.Context(), e.Token, false, "lost"); why(err) != "was revoked" {
			t.Errorf("again: %v", err)
		}
		got, err := l.RevokeToken(t.Context(), e.Token, true, "stolen")
		if err != nil {
			t.Fatal(err)
		}
		var prints [][]byte
		for _, c := range got {
			prints = append(prints, c.Fingerprint)
		}
		if fmt.Sprintf("%x", prints) != fmt.Sprintf("%x", [][]byte{fingerprint(old), fingerprint(short), fingerprint(next)}) {
			t.Errorf("revoked are %d", len(got))
		}
		revoked, err := l.Certificate(t.Context(), fingerprint(next))
		if err != nil || revoked.RevokedAt == nil || revoked.Reason != ca.PrivilegeWithdrawn {
			t.Errorf("%+v, %v", revoked, err)
		}
		if _, err := l.RevokeToken(t.Context(), e.Token, true, ""); why(err) != "was revoked" {
			t.Errorf("with nothing left: %v", err)
		}
		verified(t, l)
	})
}

// Requests for one name share no transaction, whatever their subjects: the second must see the first.
func TestEnroll_equalNames(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		e := madeToken(t, l, 1, func(t *Token) { t.Names, t.Pattern, t.Uses = nil, "*", 9 })
		var jobs []*job
		for _, organization := range []string{"A", "B", "C"} {
			cert := root.leaf("web", func(c *x509.Certificate) { c.Subject.Organization = []string{organization} })
			r, err := newRecord(ca.Issued{Certificate: cert, Issuer: root.cert, At: noon, Profile: "workload", Enrollment: e})
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, &job{record: r, done: make(chan error, 1)})
		}
		l.writer.write(&batch{jobs: jobs})
		for i, want := range []string{"<nil>", "held", "held"} {
			if err := <-jobs[i].done; why(err) != want {
				t.Errorf("%d: %v; want %s", i, err, want)
			}
		}
		verified(t, l)
	})
}
