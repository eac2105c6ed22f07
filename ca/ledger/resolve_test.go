package ledger

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// copied is a host "web" of which there are two: one was first to renew, the other is refused.
type copied struct {
	t    *testing.T
	l    *Ledger
	root *authority
	c    *clock
	both *x509.Certificate // that both had
	next *x509.Certificate // of the first
	key  *ecdsa.PrivateKey // with which the other asked
	keys map[*x509.Certificate]*ecdsa.PrivateKey
}

func newCopied(t *testing.T, where string) *copied {
	t.Helper()
	x := &copied{t: t, keys: map[*x509.Certificate]*ecdsa.PrivateKey{}, key: newKey(t)}
	x.l, x.c, x.root = createAt(t, where)
	key := newKey(t)
	x.both = x.root.leafOf("web", key)
	x.keys[x.both] = key
	if err := enroll(t, x.l, x.root, madeToken(t, x.l, 1), x.both); err != nil {
		t.Fatal(err)
	}
	x.next = x.renewed(x.both)
	x.want("the other", "clone", x.both, x.key)
	return x
}

func (x *copied) renew(old *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	x.t.Helper()
	at := x.c.get()
	return renewBy(x.t, x.l, x.root, old, key, ca.Enrollment{Grace: 48 * time.Hour, Address: netip.MustParseAddr("192.0.2.7")}, at)
}

// renewed renews with a new key.
func (x *copied) renewed(old *x509.Certificate) *x509.Certificate {
	x.t.Helper()
	key := newKey(x.t)
	cert, err := x.renew(old, key)
	if err != nil {
		x.t.Fatal(err)
	}
	x.keys[cert] = key
	return cert
}

func (x *copied) want(what, want string, old *x509.Certificate, key *ecdsa.PrivateKey) {
	x.t.Helper()
	if _, err := x.renew(old, key); kindOfError(err) != want {
		x.t.Errorf("%s: %v; want %s", what, err, want)
	}
}

func (x *copied) record(c *x509.Certificate) Certificate {
	x.t.Helper()
	found, err := x.l.Certificate(x.t.Context(), fingerprint(c))
	if err != nil {
		x.t.Fatal(err)
	}
	return found
}

func (x *copied) resolve(keep *x509.Certificate) (Resolved, error) {
	return x.l.Resolve(x.t.Context(), "web", x.record(keep).Serial, "a copy")
}

// revoked checks which certificates are revoked, and why.
func (x *copied) revoked(what string, reason ca.Reason, is bool, certs ...*x509.Certificate) {
	x.t.Helper()
	for _, c := range certs {
		if got := x.record(c); (got.RevokedAt != nil) != is || is && got.Reason != reason {
			x.t.Errorf("%s: %s is revoked at %v as %v", what, got.Serial, got.RevokedAt, got.Reason)
		}
	}
}

// open returns how many refused renewals are not resolved.
func (x *copied) open() (n int) {
	x.t.Helper()
	all, err := x.l.OpenClones(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	for _, clones := range all {
		n += len(clones)
	}
	return n
}

// To keep the newest ends the alarm, and revokes what both hosts have the key of.
func TestResolve_newest(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newCopied(t, where)
		last := x.renewed(x.next)
		x.want("the other again", "clone", x.both, x.key)
		if n := x.open(); n != 2 {
			t.Errorf("%d are open", n)
		}
		r, err := x.resolve(last)
		if err != nil || r.Back || len(r.Revoked) != 1 || !bytes.Equal(r.Revoked[0].Fingerprint, fingerprint(x.both)) || r.Key != nil {
			t.Fatalf("%+v, %v", r, err)
		}
		x.revoked("the other", ca.KeyCompromise, true, x.both)
		x.revoked("the first", 0, false, x.next, last)
		x.want("the other when it is resolved", "revoked", x.both, x.key)
		x.want("the other's key elsewhere", "revoked key", last, x.keys[x.both])
		x.renewed(last)
		if n := x.open(); n != 0 {
			t.Errorf("%d are open when it is resolved", n)
		}
		if _, err := x.resolve(last); !isError[*NotClonedError](err) {
			t.Errorf("again: %v", err)
		}
		verified(t, x.l)
	})
}

// To keep what was refused gives the lineage back to it, for the key that asked alone: the first host
// has the key of the certificate too, and does not win again.
func TestResolve_refused(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newCopied(t, where)
		last := x.renewed(x.next)
		r, err := x.resolve(x.both)
		hash := newCertificate(x.root.leafOf("web", x.key)).KeyHash
		if err != nil || !r.Back || len(r.Revoked) != 2 || !bytes.Equal(r.Key, hash) || r.Address.String() != "192.0.2.7" {
			t.Fatalf("%+v, %v", r, err)
		}
		x.revoked("the first", ca.KeyCompromise, true, x.next, last)
		x.revoked("the other", 0, false, x.both)
		if c := x.record(x.both); c.ReplacedBy != 0 {
			t.Errorf("it is replaced by %d", c.ReplacedBy)
		}
		verified(t, x.l)
		x.want("the first", "revoked", last, newKey(t))
		if n := x.open(); n != 0 {
			t.Errorf("%d are open", n)
		}
		x.want("the first by the key of both", "clone", x.both, x.keys[x.both])
		x.want("the first by a new key", "clone", x.both, newKey(t))
		if n := x.open(); n != 2 {
			t.Errorf("%d are open after the first has tried", n)
		}
		if r, err := x.resolve(x.both); err != nil || r.Back || !bytes.Equal(r.Key, hash) || len(r.Revoked) != 0 {
			t.Errorf("kept again: %+v, %v", r, err)
		}
		x.want("the first still", "clone", x.both, newKey(t))
		mine, err := x.renew(x.both, x.key)
		if err != nil {
			t.Fatal(err)
		}
		x.renewed(mine)
		verified(t, x.l)
		if _, err := x.l.Decommission(t.Context(), "web", ""); err != nil {
			t.Fatal(err)
		}
		verified(t, x.l)
	})
}

// A decision holds through the end of the lineage, a copy of the ledger and an enrollment with the
// same key.
func TestResolve_after(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		for what, then := range map[string]func(x *copied){
			"decommissioned": func(x *copied) {
				if _, err := x.l.Decommission(t.Context(), "web", ""); err != nil {
					t.Fatal(err)
				}
				x.want("the key that asked", "revoked", x.both, x.key)
			},
			"another holder": func(x *copied) {
				if err := enroll(t, x.l, x.root, madeToken(t, x.l, 2, func(t *Token) { t.Replace = true }), x.root.leaf("web")); err != nil {
					t.Fatal(err)
				}
				x.want("the key that asked", "ended", x.both, x.key)
			},
			"issued to the key of both": func(x *copied) {
				again := x.root.leafOf("web", x.keys[x.both])
				add(t, x.l, ca.Issued{Certificate: again})
				x.want("a new key", "<nil>", again, newKey(t))
			},
			"expired": func(x *copied) {
				x.c.now = noon.Add(30 * time.Hour)
				x.want("a new key", "clone", x.both, newKey(t))
				x.want("the key that asked", "<nil>", x.both, x.key)
			},
		} {
			place := where
			if isPostgres(where) && what != "expired" { // a database is for one
				continue
			} else if !isPostgres(where) {
				place = t.TempDir() + "/ledger.db"
			}
			t.Run(what, func(t *testing.T) {
				x := newCopied(t, place)
				if _, err := x.resolve(x.both); err != nil {
					t.Fatal(err)
				}
				then(x)
				verified(t, x.l)
				to := t.TempDir() + "/restored.db"
				if _, err := Restore(t.Context(), place, to, "", Options{Now: x.c.get, AnyClock: true}); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

// What cannot be kept is refused, and writes nothing.
func TestResolve_refuses(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newCopied(t, where)
		other := x.root.leaf("db")
		add(t, x.l, ca.Issued{Certificate: other})
		resolve := func(name, serial string) func() error {
			return func() error { _, err := x.l.Resolve(t.Context(), name, serial, ""); return err }
		}
		refuses := func(what, want string, f func() error) {
			t.Helper()
			before := entriesOf(t, x.l)
			if err := f(); err == nil || !strings.Contains(err.Error(), want) || entriesOf(t, x.l) != before {
				t.Errorf("%s: %v; want %s", what, err, want)
			}
		}
		refuses("no name", "the name is missing", resolve("", "01"))
		refuses("a name that is not copied", `no other key has asked for the next certificate of "db"`, resolve("db", x.record(other).Serial))
		refuses("an unknown name", "no other key has asked", resolve("wbe", "01"))
		refuses("no serial number", "is none of the certificates", resolve("web", ""))
		refuses("the serial number of another host", "is none of the certificates", resolve("web", x.record(other).Serial))
		refuses("an unknown serial number", "the newest, "+x.record(x.next).Serial+", and what was refused, "+x.record(x.both).Serial, resolve("web", "0102"))
		x.want("a third", "clone", x.both, newKey(t))
		refuses("several keys", "2 keys were refused", resolve("web", x.record(x.both).Serial))
		for _, c := range []*x509.Certificate{x.next, x.both} {
			if err := x.l.Revoke(t.Context(), [][]byte{fingerprint(c)}, Revocation{Reason: ca.CertificateHold, At: noon}); err != nil {
				t.Fatal(err)
			}
		}
		refuses("a revoked one", "revoked", resolve("web", x.record(x.next).Serial))
		verified(t, x.l)
	})
}

// TestResolve_serial: the serial number is that of people: with colons, zeros and capitals.
func TestResolve_serial(t *testing.T) {
	for i, write := range []func(string) string{
		strings.ToUpper, func(s string) string { return "00" + s },
		func(s string) string {
			var pairs []string
			for pair := range slices.Chunk([]byte(s), 2) {
				pairs = append(pairs, string(pair))
			}
			return strings.Join(pairs, ":")
		},
	} {
		x := newCopied(t, fmt.Sprintf("%s/%d.db", t.TempDir(), i))
		if _, err := x.l.Resolve(t.Context(), "web", write(x.record(x.next).Serial), ""); err != nil {
			t.Error(err)
		}
	}
}

// TestResolve_countAnew: so many renewals of a copy are recorded, and the alarm stays open meanwhile;
// after a decision, the next copy raises it again.
func TestResolve_countAnew(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		x := newCopied(t, where)
		newest := x.renewed(x.next)
		for range maxClones + 3 {
			x.want("a copy of the first", "clone", x.both, newKey(t))
		}
		if got := x.open(); got != maxClones+1 { // one of them about the certificate before
			t.Errorf("%d are open", got)
		}
		if _, err := x.resolve(newest); err != nil {
			t.Fatal(err)
		}
		if got := x.open(); got != 0 {
			t.Errorf("%d are open after the decision", got)
		}
		for i := range 2 {
			_, err := x.renew(x.next, newKey(t))
			if clone, ok := errors.AsType[*CloneError](err); !ok || !clone.Noted || x.open() != i+1 {
				t.Errorf("a copy of the second: %v, %d are open", err, x.open())
			}
		}
		verified(t, x.l)
	})
}

// A decision that the entries do not have is found, in whatever column.
func TestVerify_resolved(t *testing.T) {
	for what, change := range map[string]string{
		"another key":     "UPDATE lineages SET only_key = x'00'",
		"any key":         "UPDATE lineages SET only_key = NULL",
		"the first again": "UPDATE lineages SET newest = (SELECT max(seq) FROM certificates WHERE kind = 'leaf')",
		"not replaced":    "UPDATE certificates SET replaced_seq = NULL",
	} {
		x := newCopied(t, t.TempDir()+"/ledger.db")
		x.renewed(x.next)
		if _, err := x.resolve(x.both); err != nil {
			t.Fatal(err)
		}
		verified(t, x.l)
		execAll(t, x.l, change)
		if report := verify(t, x.l, ""); len(report.Faults) != 1 {
			t.Errorf("%s: %v", what, report.Faults)
		}
	}
}
