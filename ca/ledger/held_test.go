package ledger

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// subject is the last part of a leaf's name.
func subject(organization string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject.Organization = []string{organization} }
}

// A name that a key has held is another's only by a token that may replace it, or once it is
// decommissioned.
func TestEnroll_held(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		revoke := func(reason ca.Reason) func(*testing.T, *x509.Certificate) {
			return func(t *testing.T, cert *x509.Certificate) {
				if err := l.Revoke(t.Context(), [][]byte{fingerprint(cert)}, Revocation{Reason: reason, At: noon}); err != nil {
					t.Fatal(err)
				}
			}
		}
		decommission := func(t *testing.T, cert *x509.Certificate) {
			if _, err := l.Decommission(t.Context(), cert.Subject.CommonName, ""); err != nil {
				t.Fatal(err)
			}
		}
		replace := func(t *Token) { t.Replace = true }
		many := func(t *Token) { t.Uses = 2 }
		pattern := func(t *Token) { t.Pattern, t.Names = "web-*", nil }
		for i, tt := range []struct {
			what   string
			holder func(*x509.Certificate) // of the certificate that is there; nil: none
			change func(*testing.T, *x509.Certificate)
			token  func(*Token)
			same   bool                    // the key is the holder's
			late   bool                    // the token is made after the change
			more   func(*x509.Certificate) // of the new one
			want   string
		}{
			{what: "a new name", want: "<nil>"},
			{what: "a new name, by a pattern", token: pattern, want: "<nil>"},
			{what: "a new name, by several uses", token: many, want: "<nil>"},
			{what: "a new name, replaced", token: replace, want: "<nil>"},
			{what: "valid", holder: valid(-time.Hour, time.Hour), want: "held"},
			{what: "expired", holder: valid(-3*time.Hour, -2*time.Hour), want: "held"},
			{what: "expired for years", holder: valid(-30000*time.Hour, -20000*time.Hour), want: "held"},
			{what: "compromised", holder: valid(-time.Hour, time.Hour), change: revoke(ca.KeyCompromise), want: "held"},
			{what: "superseded", holder: valid(-time.Hour, time.Hour), change: revoke(ca.Superseded), want: "held"},
			{what: "on hold", holder: valid(-time.Hour, time.Hour), change: revoke(ca.CertificateHold), want: "held"},
			{what: "another subject", holder: subject("Example"), want: "held"},
			{what: "to another subject", holder: valid(-time.Hour, time.Hour), more: subject("Example"), want: "held"},
			{what: "the same key", holder: valid(-time.Hour, time.Hour), same: true, want: "<nil>"},
			{what: "the same key, another subject", holder: subject("Example"), same: true, want: "<nil>"},
			{what: "the same key, by a pattern", holder: valid(-time.Hour, time.Hour), same: true, token: pattern, want: "held"},
			{what: "the same key, by several uses", holder: valid(-time.Hour, time.Hour), same: true, token: many, want: "held"},
			{what: "replaced", holder: valid(-time.Hour, time.Hour), token: replace, want: "<nil>"},
			{what: "replaced after expiry", holder: valid(-3*time.Hour, -2*time.Hour), token: replace, want: "<nil>"},
			{what: "replaced when revoked", holder: valid(-time.Hour, time.Hour), change: revoke(ca.KeyCompromise), token: replace, want: "<nil>"},
			{what: "another subject replaced", holder: subject("Example"), token: replace, want: "<nil>"},
			{what: "decommissioned", late: true, holder: valid(-time.Hour, time.Hour), change: decommission, want: "<nil>"},
			{what: "decommissioned when expired", late: true, holder: valid(-3*time.Hour, -2*time.Hour), change: decommission, want: "<nil>"},
			{what: "decommissioned, by a pattern", holder: valid(-time.Hour, time.Hour), change: decommission, token: pattern, want: "held"},
		} {
			name, key := fmt.Sprintf("web-%d", i), newKey(t)
			token := func(t *Token) {
				t.Names = []string{name}
				if tt.token != nil {
					tt.token(t)
				}
			}
			if !tt.late {
				madeToken(t, l, byte(i+1), token)
			}
			var holder *x509.Certificate
			if tt.holder != nil {
				holder = root.leafOf(name, key, tt.holder)
				add(t, l, ca.Issued{Certificate: holder})
			}
			if tt.change != nil {
				tt.change(t, holder)
			}
			if tt.late {
				madeToken(t, l, byte(i+1), token)
			}
			if !tt.same {
				key = newKey(t)
			}
			if tt.more == nil {
				tt.more = func(*x509.Certificate) {}
			}
			before := entriesOf(t, l)
			cert := root.leafOf(name, key, tt.more)
			receipt, err := attempt(t, l, root, ca.Issued{Certificate: cert, Profile: "workload", Enrollment: with(newToken(byte(i + 1)))})
			if got := why(err); got != tt.want || (err == nil) != (entriesOf(t, l) == before+1) {
				t.Errorf("%s: %s; want %s", tt.what, got, tt.want)
			}
			if refused, ok := errors.AsType[*HeldError](err); ok && (refused.Name != name || refused.Newest.CommonName != name) {
				t.Errorf("%s: %v", tt.what, err)
			}
			if err == nil && holder != nil && !tt.same && tt.change == nil {
				checkEnded(t, l, root, tt.what, holder, receipt)
			}
			if used, err := l.Token(t.Context(), newToken(byte(i+1)).ID); err != nil || (used.Used == 1) != (tt.want == "<nil>") {
				t.Errorf("%s: %d uses, %v", tt.what, used.Used, err)
			}
		}
		verified(t, l)
	})
}

// checkEnded checks that a certificate was replaced by another key.
func checkEnded(t *testing.T, l *Ledger, a *authority, what string, holder *x509.Certificate, receipt Receipt) {
	t.Helper()
	if stands := holder.NotAfter.After(noon); stands != (len(receipt.Ended) == 1) {
		t.Errorf("%s: %d have ended", what, len(receipt.Ended))
	}
	key := newKey(t)
	if _, err := renewBy(t, l, a, holder, key, ca.Enrollment{Grace: 1e6 * time.Hour}, noon); kindOfError(err) != "ended" {
		t.Errorf("%s: the one before is renewed: %v", what, err)
	}
}

// A denied name is neither enrolled nor renewed, not even by a repeated request; the operator can
// issue it at the CA.
func TestDenyRenewal(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		key, next := newKey(t), newKey(t)
		old := root.leafOf("web", key)
		if err := enroll(t, l, root, madeToken(t, l, 1), old); err != nil {
			t.Fatal(err)
		}
		newest, err := renewBy(t, l, root, old, next, ca.Enrollment{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		replace := madeToken(t, l, 2, func(t *Token) { t.Replace = true })
		madeToken(t, l, 3, func(t *Token) { t.Names = []string{"soon"} })
		if err := l.DenyRenewal(t.Context(), "wbe", ""); kindOfError(err) != "not found" {
			t.Errorf("an unknown name: %v", err)
		}
		if err := l.DenyRenewal(t.Context(), "", ""); err == nil {
			t.Error("no name is denied")
		}
		for _, name := range []string{"web", "soon"} {
			if err := l.DenyRenewal(t.Context(), name, "returned"); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.DenyRenewal(t.Context(), "web", ""); kindOfError(err) != "denied" || !strings.HasSuffix(err.Error(), `"web" are denied since 2026-11-01T12:00:00Z: returned`) {
			t.Errorf("again: %v", err)
		}
		operator := func(cert *x509.Certificate, replaces []byte) error {
			_, err := attempt(t, l, root, ca.Issued{Certificate: cert, Replaces: replaces})
			return err
		}
		refusals := map[string]func() error{
			"enrolled":                    func() error { return enroll(t, l, root, replace, root.leaf("web")) },
			"enrolled for the first time": func() error { return enroll(t, l, root, with(newToken(3)), root.leaf("soon")) },
			"enrolled again":              func() error { return enroll(t, l, root, with(newToken(1)), root.leafOf("web", key)) },
			"renewed by the host": func() error {
				_, err := renewBy(t, l, root, newest, newKey(t), ca.Enrollment{}, noon)
				return err
			},
			"renewed by the host again": func() error {
				_, err := renewBy(t, l, root, old, next, ca.Enrollment{}, noon)
				return err
			},
			"cloned": func() error {
				_, err := renewBy(t, l, root, old, newKey(t), ca.Enrollment{}, noon)
				return err
			},
			"renewed by the operator":       func() error { return operator(root.leafOf("web", next), fingerprint(newest)) },
			"renewed by the operator again": func() error { return operator(root.leafOf("web", next), fingerprint(old)) },
		}
		for what, f := range refusals {
			before := entriesOf(t, l)
			if err := f(); kindOfError(err) != "denied" || entriesOf(t, l) != before {
				t.Errorf("%s: %v", what, err)
			}
		}
		var names []string
		for d, err := range l.Denials(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, d.Name+" "+d.Why)
		}
		if fmt.Sprint(names) != "[soon returned web returned]" {
			t.Errorf("denied are %q", names)
		}
		if err := l.AllowRenewal(t.Context(), "web"); err != nil {
			t.Fatal(err)
		}
		if err := l.AllowRenewal(t.Context(), "web"); kindOfError(err) != "not found" {
			t.Errorf("allowed again: %v", err)
		}
		if err := refusals["renewed by the host"](); err != nil {
			t.Errorf("renewed when allowed: %v", err)
		}
		if err := operator(root.leaf("soon"), nil); err != nil {
			t.Errorf("issued by the operator: %v", err)
		}
		verified(t, l)
	})
}

// An expired certificate is renewed by its host within the grace, and only so often.
func TestRenew_grace(t *testing.T) {
	const end = 24 * time.Hour // of each certificate, after it was issued
	twoEngines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		for i, tt := range []struct {
			what  string
			grace time.Duration
			limit int
			after []time.Duration // when each renewal comes, after the one before
			want  string          // of the last
			count int
		}{
			{"in time", 0, 0, []time.Duration{end}, "<nil>", 0},
			{"without grace", 0, 0, []time.Duration{end + time.Second}, "grace", 0},
			{"within", time.Hour, 0, []time.Duration{end + time.Minute}, "<nil>", 1},
			{"at the end", time.Hour, 0, []time.Duration{end + time.Hour}, "<nil>", 1},
			{"beyond", time.Hour, 0, []time.Duration{end + time.Hour + time.Microsecond}, "grace", 0},
			{"years beyond", time.Hour, 0, []time.Duration{end + 20000*time.Hour}, "grace", 0},
			{"once", time.Hour, 1, []time.Duration{end + time.Minute}, "<nil>", 1},
			{"twice of one", time.Hour, 1, []time.Duration{end + time.Minute, end + time.Minute}, "grace", 1},
			{"in time after one of one", time.Hour, 1, []time.Duration{end + time.Minute, end}, "<nil>", 1},
			{"late again after a renewal in time", time.Hour, 1, []time.Duration{end + time.Minute, end, end + time.Minute}, "grace", 1},
			{"three without limit", time.Hour, 0, []time.Duration{end + time.Minute, end + time.Minute, end + time.Minute}, "<nil>", 3},
			{"three of two", time.Hour, 2, []time.Duration{end + time.Minute, end + time.Minute, end + time.Minute}, "grace", 2},
		} {
			at := noon
			c.set(at)
			cert := root.leaf(fmt.Sprintf("web-%d", i))
			if err := enroll(t, l, root, madeToken(t, l, byte(i+1), func(token *Token) {
				token.Names = []string{cert.Subject.CommonName}
				token.At, token.Expires = noon, noon.Add(1e6*time.Hour)
			}), cert); err != nil {
				t.Fatalf("%s: %v", tt.what, err)
			}
			var err error
			for _, d := range tt.after {
				at = at.Add(d)
				c.set(at)
				var next *x509.Certificate
				if next, err = renewBy(t, l, root, cert, newKey(t), ca.Enrollment{Grace: tt.grace, Recoveries: tt.limit}, at); err == nil {
					cert = next
				}
			}
			if got := kindOfError(err); got != tt.want {
				t.Errorf("%s: %s; want %s", tt.what, got, tt.want)
			}
			if late, ok := errors.AsType[*GraceError](err); ok && (late.Recoveries != tt.count || !late.Until.Equal(cert.NotAfter.Add(tt.grace))) {
				t.Errorf("%s: %+v", tt.what, late)
			}
			for h, err := range l.Holders(t.Context()) {
				if err != nil || h.CommonName == cert.Subject.CommonName && h.Recoveries != tt.count {
					t.Errorf("%s: %d recoveries, %v", tt.what, h.Recoveries, err)
				}
			}
			if tt.want == "grace" { // the operator decides for himself
				old := Describe(cert)
				i := ca.Issued{Certificate: root.leafOf(old.CommonName, newKey(t), valid(at.Sub(noon), at.Sub(noon)+time.Hour)), Issuer: root.cert, At: at, Replaces: old.Fingerprint}
				if _, err := l.Record(t.Context(), i); err != nil {
					t.Errorf("%s, by the operator: %v", tt.what, err)
				}
			}
			restarted(t, l)
		}
	})
}

// restarted verifies a ledger, and empties it of all but the root: its clock cannot go back.
func restarted(t *testing.T, l *Ledger) {
	t.Helper()
	verified(t, l)
	anew(t, l)
}

// The names of an enrollment server are no host's, in whatever case, and no host's are a server's.
func TestRecord_reservedName(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		server := func(cert *x509.Certificate) error {
			_, err := attempt(t, l, root, ca.Issued{Certificate: cert, Server: true})
			return err
		}
		first := root.leaf("", func(c *x509.Certificate) {
			c.Subject, c.ExtKeyUsage, c.DNSNames = pkix.Name{}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []string{"CA.example.com", "ca"}
			c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1")}
		})
		if err := server(first); err != nil {
			t.Fatal(err)
		}
		dns := func(names ...string) func(*x509.Certificate) { return func(c *x509.Certificate) { c.DNSNames = names } }
		ip := func(text string) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP(text)} }
		}
		for i, tt := range []struct {
			what string
			more func(*x509.Certificate)
			want string
		}{
			{"no name", dns(), "<nil>"},
			{"another", dns("web.example.com"), "<nil>"},
			{"the server's", dns("ca.example.com"), "reserved"},
			{"in capitals", dns("CA.EXAMPLE.COM"), "reserved"},
			{"the short one", dns("Ca"), "reserved"},
			{"the last of several", dns("a.example.com", "b.example.com", "ca.example.com"), "reserved"},
			{"the server's address", ip("192.0.2.1"), "reserved"},
			{"the address as IPv6", ip("::ffff:192.0.2.1"), "reserved"},
			{"the IPv6 address", ip("2001:db8:0::0001"), "reserved"},
			{"the next address", ip("192.0.2.2"), "<nil>"},
			{"below it", dns("web.ca.example.com"), "<nil>"},
			{"above it", dns("example.com"), "<nil>"},
			{"a mail address in it", func(c *x509.Certificate) { c.EmailAddresses = []string{"a@ca.example.com"} }, "<nil>"},
		} {
			name := fmt.Sprintf("web-%d", i)
			for what, e := range map[string]*ca.Enrollment{"operator": nil, "host": madeToken(t, l, byte(i+1), func(t *Token) { t.Names = []string{name + "-host"} })} {
				common := name
				if e != nil {
					common += "-host"
				}
				if err := enroll(t, l, root, e, root.leaf(common, tt.more)); kindOfError(err) != tt.want {
					t.Errorf("%s, %s: %v; want %s", tt.what, what, err, tt.want)
				}
			}
		}
		taken := root.leaf("host", dns("host.example.com"), ip("192.0.2.7"), valid(-2*time.Hour, time.Hour))
		add(t, l, ca.Issued{Certificate: taken})
		for what, cert := range map[string]*x509.Certificate{
			"a host's name":        root.serverFor("free.example.com", "Host.example.com"),
			"a host's name, alone": root.serverFor("host.example.com"),
		} {
			if err := server(cert); kindOfError(err) != "reserved" {
				t.Errorf("%s: %v", what, err)
			}
			c.set(noon.Add(2 * time.Hour)) // it has expired, and can be renewed
		}
		c.set(noon)
		if _, err := l.Decommission(t.Context(), "host", ""); err != nil {
			t.Fatal(err)
		}
		if err := server(root.serverFor("host.example.com")); err != nil {
			t.Errorf("the name of a host that is gone: %v", err)
		}
		if err := server(root.serverFor("ca.example.com")); err != nil {
			t.Errorf("the server's name, again: %v", err)
		}
		for what, cert := range map[string]*x509.Certificate{
			"a subject":    root.leaf("web", dns("s.example.com"), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
			"for clients":  root.leaf("", dns("s.example.com")),
			"for both":     root.leaf("", dns("s.example.com"), func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }),
			"without name": root.serverFor(),
			"a CA":         newAuthority(t, "sub", root).cert,
		} {
			if err := server(cert); err == nil {
				t.Errorf("%s: it is taken for a server", what)
			}
		}
		checkServers(t, l)
		verified(t, l)
	})
}

// checkServers checks that the certificates of servers are in no lineage.
func checkServers(t *testing.T, l *Ledger) {
	t.Helper()
	n := 0
	for c, err := range l.List(t.Context(), Filter{Kind: Server}) {
		if err != nil || c.Lineage != 0 || c.Host != "" || c.CommonName != "" {
			t.Errorf("%+v, %v", c, err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d servers", n)
	}
}

// A name that is given up has no certificate, lineage, token or denial left.
func TestDecommission(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		old := root.leaf("web", valid(-time.Hour, time.Minute))
		if err := enroll(t, l, root, madeToken(t, l, 1), old); err != nil {
			t.Fatal(err)
		}
		newest, err := renewBy(t, l, root, old, newKey(t), ca.Enrollment{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		second := root.leaf("web", subject("Example"))
		add(t, l, ca.Issued{Certificate: second})
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(second)}, Revocation{Reason: ca.CertificateHold, At: noon}); err != nil {
			t.Fatal(err)
		}
		add(t, l, ca.Issued{Certificate: root.leaf("other")})
		madeToken(t, l, 2, func(t *Token) { t.Replace = true })
		madeToken(t, l, 3, func(t *Token) { t.Names, t.Pattern = nil, "w*" })
		if err := l.DenyRenewal(t.Context(), "web", ""); err != nil {
			t.Fatal(err)
		}
		c.set(noon.Add(time.Hour))
		if _, err := l.Decommission(t.Context(), "wbe", ""); kindOfError(err) != "not found" {
			t.Errorf("unknown: %v", err)
		}
		d, err := l.Decommission(t.Context(), "web", "sold")
		if err != nil || len(d.Certificates) != 2 || len(d.Tokens) != 2 {
			t.Fatalf("%d certificates, %d tokens, %v", len(d.Certificates), len(d.Tokens), err)
		}
		for _, cert := range []*x509.Certificate{newest, second} {
			if now, err := l.Certificate(t.Context(), fingerprint(cert)); err != nil || now.RevokedAt == nil || now.Reason != ca.CessationOfOperation {
				t.Errorf("%+v, %v", now, err)
			}
			if _, err := renewBy(t, l, root, cert, newKey(t), ca.Enrollment{Grace: 1000 * time.Hour}, noon.Add(time.Hour)); kindOfError(err) != "revoked" {
				t.Errorf("it is renewed: %v", err)
			}
		}
		if _, err := renewBy(t, l, root, old, newKey(t), ca.Enrollment{Grace: 1000 * time.Hour}, noon.Add(time.Hour)); kindOfError(err) != "ended" {
			t.Errorf("the expired one is renewed: %v", err)
		}
		for id, want := range map[byte]string{1: "was revoked", 2: "was revoked", 3: "held"} {
			if err := enroll(t, l, root, with(newToken(id)), root.leaf("web")); why(err) != want {
				t.Errorf("token %d: %v", id, err)
			}
		}
		if _, err := l.Decommission(t.Context(), "web", ""); kindOfError(err) != "free" {
			t.Errorf("again: %v", err)
		}
		at := func(token *Token) { token.At, token.Expires = noon.Add(time.Hour), noon.Add(2*time.Hour) }
		if err := enroll(t, l, root, madeToken(t, l, 4, at), root.leaf("web")); err != nil {
			t.Errorf("the name is not free: %v", err)
		}
		verified(t, l)
	})
}

// Tokens that were made before a restore are void: the backup does not know how often they were used
// since.
func TestRestore_tokens(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		fullOfHosts(t, l)
		madeToken(t, l, 11)
		madeToken(t, l, 12, func(t *Token) { t.Names, t.Pattern, t.Uses = nil, "a-*", 9 })
		before := entriesOf(t, l)
		dir := t.TempDir()
		backup := filepath.Join(dir, "backup.db")
		if err := l.Backup(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		for engine, to := range map[string]string{"sqlite": filepath.Join(dir, "new.db"), "postgres": testenv.Postgres(t)} {
			if _, err := Restore(t.Context(), backup, to, "", Options{Now: atNoon, AnyClock: true}); err != nil {
				t.Fatalf("%s: %v", engine, err)
			}
			restored := create(t, to)
			if n := entriesOf(t, restored); n != before+1 {
				t.Errorf("%s: %d entries, and %d before", engine, n, before)
			}
			for id, want := range map[byte]string{11: "was made before the ledger was restored, and is void", 12: "was made before the ledger was restored, and is void", 2: "was revoked"} {
				err := enroll(t, restored, root, with(newToken(id)), root.leaf(map[byte]string{11: "web", 12: "a-1", 2: "web"}[id]))
				if why(err) != want {
					t.Errorf("%s, token %d: %v", engine, id, err)
				}
			}
			if err := enroll(t, restored, root, madeToken(t, restored, 13), root.leaf("web")); err != nil {
				t.Errorf("%s, a new one: %v", engine, err)
			}
			verified(t, restored)
			again := filepath.Join(dir, engine+"-again.db")
			if _, err := Restore(t.Context(), backup, again, "", Options{Now: atNoon, AnyClock: true}); err != nil {
				t.Error(err)
			}
		}
		if n := entriesOf(t, l); n != before {
			t.Errorf("%d entries in the first", n)
		}
		if err := enroll(t, l, root, with(newToken(11)), root.leaf("web")); err != nil {
			t.Errorf("where it was made: %v", err)
		}
	})
}

func TestHolders(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		e := madeToken(t, l, 1, func(t *Token) { t.Names, t.Pattern, t.Uses = nil, "host-*", 9 })
		e.KeyPlace = ca.KeyInTPM
		late := root.leaf("host-1", valid(-26*time.Hour, -2*time.Hour))
		for _, cert := range []*x509.Certificate{root.leaf("host-2"), late, root.leaf("host-3", valid(-time.Hour, -time.Minute))} {
			if err := enroll(t, l, root, e, cert); err != nil {
				t.Fatal(err)
			}
		}
		add(t, l, ca.Issued{Certificate: root.leaf("operator", valid(-time.Hour, time.Hour))})
		if _, err := renewBy(t, l, root, late, newKey(t), ca.Enrollment{Grace: 3 * time.Hour, Address: netip.MustParseAddr("fe80::1%eth0"), KeyPlace: ca.KeyInPKCS11}, noon); err != nil {
			t.Fatal(err)
		}
		var all []string
		for h, err := range l.Holders(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprint(h.CommonName, " ", h.Recoveries)
			if h.Enrollment != nil {
				line += fmt.Sprintf(" %s %x %v %s", h.Enrollment.Proof, h.Enrollment.Token, h.Enrollment.Address, h.Enrollment.KeyPlace)
			}
			all = append(all, line)
			if one, err := l.Enrollment(t.Context(), h.Certificate); err != nil || fmt.Sprint(one) != fmt.Sprint(h.Enrollment) {
				t.Errorf("%v, %v", one, err)
			}
		}
		token := fmt.Sprintf("token %x 10.0.0.9 tpm", e.Token)
		want := []string{"host-3 0 " + token, "operator 0", "host-2 0 " + token, "host-1 1 renewal  fe80::1 pkcs11"}
		if fmt.Sprintf("%q", all) != fmt.Sprintf("%q", want) {
			t.Errorf("got  %q\nwant %q", all, want)
		}
		verified(t, l)
	})
}

// A clone is recorded once for each key, with the address that it came from first.
func TestClones(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		old := root.leaf("web")
		add(t, l, ca.Issued{Certificate: old})
		newest, err := renewBy(t, l, root, old, newKey(t), ca.Enrollment{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		thief := newKey(t)
		for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"} {
			_, err := renewBy(t, l, root, old, thief, ca.Enrollment{Address: netip.MustParseAddr(address)}, noon)
			if kindOfError(err) != "clone" {
				t.Error(err)
			}
		}
		if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("web"), Replaces: fingerprint(old)}); kindOfError(err) != "clone" {
			t.Error(err)
		}
		var all []string
		for c, err := range l.Clones(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(c.Subject, " ", c.Address, fmt.Sprintf(" %x %x", c.Presented, c.Newest) == fmt.Sprintf(" %x %x", fingerprint(old), fingerprint(newest)), len(c.Key)))
		}
		if fmt.Sprintf("%q", all) != `["CN=web 192.0.2.1 true 32" "CN=web invalid IP true 32"]` {
			t.Errorf("%q", all)
		}
		verified(t, l)
	})
}

// A chain in which a token was used more often than it may be is not taken, whoever wrote it.
func TestVerify_spent(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		e := madeToken(t, l, 1, func(t *Token) { t.Names = []string{"web", "db"} })
		for _, name := range []string{"web", "db"} {
			if err := enroll(t, l, root, e, root.leaf(name)); err != nil {
				t.Fatal(err)
			}
			execAll(t, l, "UPDATE tokens SET uses = 2")
		}
		execAll(t, l, "UPDATE tokens SET uses = 1")
		report := verify(t, l, "")
		if len(report.Faults) != 1 || !strings.Contains(report.Faults[0].String(), "was used 2 times, and is for 1") {
			t.Errorf("%v", report.Faults)
		}
	})
}
