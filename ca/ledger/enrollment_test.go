package ledger

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/netip"
	"sync"
	"testing"
	"time"

	"kedge/ca"
)

// clock is one that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) get() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// createAt opens a new ledger with a clock that stands at noon, and a root in it.
func createAt(t *testing.T, where string) (*Ledger, *clock, *authority) {
	t.Helper()
	c := &clock{now: noon}
	l, err := Open(t.Context(), where, Options{Create: true, Now: c.get, AnyClock: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && err != ErrClosed {
			t.Error(err)
		}
	})
	root := newAuthority(t, "root", nil)
	register(t, l, root)
	return l, c, root
}

// newToken returns a token for the name web, of the profile workload, that is known by one byte.
func newToken(id byte, more ...func(*Token)) Token {
	t := Token{ID: bytes.Repeat([]byte{id}, TokenIDSize), Names: []string{"web"}, Profile: "workload", Uses: 1, Expires: noon.Add(time.Hour), At: noon}
	secret := sha256.Sum256(t.ID)
	t.SecretHash = secret[:]
	for _, change := range more {
		change(&t)
	}
	return t
}

// madeToken is newToken, added to the ledger.
func madeToken(t *testing.T, l *Ledger, id byte, more ...func(*Token)) *ca.Enrollment {
	t.Helper()
	token := newToken(id, more...)
	if err := l.AddTokens(t.Context(), []Token{token}); err != nil {
		t.Fatal(err)
	}
	return with(token)
}

// with is the proof of a host that has a token.
func with(t Token) *ca.Enrollment {
	return &ca.Enrollment{Proof: ca.ProofToken, Token: t.ID, Secret: t.SecretHash, Address: netip.MustParseAddr("10.0.0.9"), KeyPlace: ca.KeyInFile}
}

// enroll records a leaf for a host.
func enroll(t *testing.T, l *Ledger, a *authority, e *ca.Enrollment, cert *x509.Certificate) error {
	t.Helper()
	_, err := attempt(t, l, a, ca.Issued{Certificate: cert, Profile: "workload", Enrollment: e})
	return err
}

// renewBy renews a leaf for a host, with another key unless it is the same. What was read with the leaf
// must say beforehand whether it is renewed, but for the new key.
func renewBy(t *testing.T, l *Ledger, a *authority, old *x509.Certificate, key *ecdsa.PrivateKey, e ca.Enrollment, at time.Time) (*x509.Certificate, error) {
	t.Helper()
	e.Proof = ca.ProofRenewal
	cert := a.leafOf("", key, func(c *x509.Certificate) {
		c.Subject, c.NotBefore, c.NotAfter = old.Subject, at.Add(-5*time.Minute), at.Add(24*time.Hour)
	})
	read, err := l.Certificate(t.Context(), fingerprint(old))
	if err != nil {
		t.Fatal(err)
	}
	hash := ca.KeyHash(cert)
	could := read.canRenew(hash[:], &e, l.now())
	if read.standing = nil; could { // as one that Certificate did not read
		if err := l.CheckRenewal(t.Context(), read, hash[:], &e); err != nil {
			t.Errorf("%s: refused early: %v", old.Subject, err)
		}
	}
	_, err = l.Record(t.Context(), ca.Issued{Certificate: cert, Issuer: a.cert, At: at, Profile: "workload", Replaces: fingerprint(old), Enrollment: &e})
	if could != (err == nil) && !isError[*RevokedKeyError](err) {
		t.Errorf("%s: could be renewed: %v, and is it: %v", old.Subject, could, err)
	}
	return cert, err
}

// serverFor signs the certificate of an enrollment server.
func (a *authority) serverFor(names ...string) *x509.Certificate {
	return a.leaf("", func(c *x509.Certificate) {
		c.Subject, c.ExtKeyUsage, c.DNSNames = pkix.Name{}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, names
	})
}

// fullOfHosts adds rows to each table that is about hosts.
func fullOfHosts(t *testing.T, l *Ledger) {
	t.Helper()
	ctx := t.Context()
	root := newAuthority(t, "Hosts", nil)
	register(t, l, root)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	several := madeToken(t, l, 1, func(t *Token) {
		t.Names, t.Pattern, t.Uses, t.Why = nil, "host-*", 3, "the rack"
		t.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	})
	first := root.leaf("host-1", valid(-26*time.Hour, -2*time.Hour))
	must(enroll(t, l, root, several, first))
	_, err := renewBy(t, l, root, first, newKey(t), ca.Enrollment{Grace: 3 * time.Hour, Address: netip.MustParseAddr("::1"), KeyPlace: ca.KeyInTPM}, noon)
	must(err)
	key := sha256.Sum256([]byte("key"))
	madeToken(t, l, 2, func(t *Token) { t.ForKey = key[:] })
	madeToken(t, l, 4, func(t *Token) { t.Names = []string{"host-9"} })
	_, err = l.RevokeToken(ctx, newToken(2).ID, false, "lost")
	must(err)
	must(l.DenyRenewal(ctx, "host-1", "returned"))
	must(l.DenyRenewal(ctx, "host-9", ""))
	must(l.AllowRenewal(ctx, "host-9"))
	must(enroll(t, l, root, madeToken(t, l, 5, func(t *Token) { t.Names = []string{"host-5"} }), root.leaf("host-5")))
	_, err = l.Decommission(ctx, "host-5", "sold")
	must(err)
	one := newKey(t)
	must(enroll(t, l, root, byApproval(approved(t, l, requestOf(t, "host-6", one), 6)), root.leafOf("host-6", one)))
	filed(t, l, requestOf(t, "host-7", one))
	_, err = l.DenyRequest(ctx, idOf(requestOf(t, "host-7", one)), approving(7, noon))
	must(err)
	approved(t, l, requestOf(t, "host-8", one), 8)
	must(l.alone(ctx, func(ctx context.Context, t *transaction) error { return t.recordRestore(ctx) }))
	_, err = l.Record(ctx, ca.Issued{Certificate: root.serverFor("ca.example.com"), Issuer: root.cert, At: noon, Server: true})
	must(err)
	der := []byte("a list")
	sum := sha256.Sum256(der)
	must(l.RecordCRL(ctx, CRL{Authority: root.cert, Number: 1, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: int64(len(der)), SHA256: sum[:], DER: der}))
	must(l.AddContacts(ctx, []Contact{{Name: "host-1", At: noon, RenewAt: noon.Add(time.Hour), Version: "1.2.3"}}))
	must(l.AddNotices(ctx, []string{"clone:1"}, nil, noon))
}
