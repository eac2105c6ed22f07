package ledger

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// engines runs a test with a fresh ledger of each engine, named by where.
func engines(t *testing.T, test func(t *testing.T, where string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, testenv.Postgres(t)) })
	t.Run("pgbouncer", func(t *testing.T) { test(t, testenv.PGBouncer(t)) })
}

// twoEngines is engines without a pooler, for tests of many cases.
func twoEngines(t *testing.T, test func(t *testing.T, where string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, testenv.Postgres(t)) })
}

// create opens a new ledger, closed at the end.
func create(tb testing.TB, where string) *Ledger {
	tb.Helper()
	return createWith(tb, where, Options{})
}

func createWith(tb testing.TB, where string, o Options) *Ledger {
	tb.Helper()
	o.Create, o.Now, o.AnyClock = true, atNoon, true
	l, err := Open(tb.Context(), where, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil && err != ErrClosed {
			tb.Error(err)
		}
	})
	return l
}

// authority is a CA of the tests.
type authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	parent *authority
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// newAuthority makes a root, or with a parent an intermediate.
func newAuthority(tb testing.TB, name string, parent *authority) *authority {
	tb.Helper()
	a := &authority{tb: tb, key: newKey(tb)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.AddDate(10, 0, 0)}
	a.cert = a.sign(template, parent, a.key)
	authorities.Store(string(a.cert.SubjectKeyId), a)
	a.parent = parent
	return a
}

// authorities are all that the tests made, by key identifier.
var authorities sync.Map

// register makes an authority, and those above it, known to a ledger, unless it is.
func register(tb testing.TB, l *Ledger, a *authority) {
	tb.Helper()
	all, err := l.Authorities(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if slices.ContainsFunc(all, func(b Authority) bool { return b.Certificate.Equal(a.cert) }) {
		return
	}
	i := ca.Issued{Certificate: a.cert, At: noon}
	set := Authority{Name: a.cert.Subject.CommonName, State: Active}
	if a.parent != nil {
		register(tb, l, a.parent)
		i.Issuer, set.Parent = a.parent.cert, a.parent.cert.Subject.CommonName
	}
	if err := l.WithAuthority(set).RecordIssued(tb.Context(), i); err != nil {
		tb.Fatal(err)
	}
}

func (a *authority) sign(template *x509.Certificate, parent *authority, key *ecdsa.PrivateKey) *x509.Certificate {
	a.tb.Helper()
	if template.SerialNumber == nil {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
		if err != nil {
			a.tb.Fatal(err)
		}
		template.SerialNumber = serial
	}
	issuer, signer := template, a.key
	if parent != nil {
		issuer, signer = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		a.tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return cert
}

// leaf signs a leaf for a day; more changes the template.
func (a *authority) leaf(name string, more ...func(*x509.Certificate)) *x509.Certificate {
	a.tb.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: noon.Add(-5 * time.Minute), NotAfter: noon.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, change := range more {
		change(template)
	}
	return a.sign(template, a, newKey(a.tb))
}

func valid(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon.Add(from), noon.Add(to) }
}

func add(tb testing.TB, l *Ledger, i ca.Issued) {
	tb.Helper()
	if i.At.IsZero() {
		i.At = noon
	}
	if a, ok := authorities.Load(string(i.Certificate.AuthorityKeyId)); ok && i.Issuer == nil && kindOf(i.Certificate) != Root {
		register(tb, l, a.(*authority))
		i.Issuer = a.(*authority).cert
	}
	if err := l.RecordIssued(tb.Context(), i); err != nil {
		tb.Fatal(err)
	}
}

func fingerprint(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	return sum[:]
}

// found collects the common names that a filter finds, in order.
func found(tb testing.TB, l *Ledger, f Filter) []string {
	tb.Helper()
	var all []string
	for c, err := range l.List(context.Background(), f) {
		if err != nil {
			tb.Fatalf("%+v: %v", f, err)
		}
		all = append(all, c.CommonName)
	}
	return all
}

// openLocked opens the ledger of a file once more, with a short wait for the lock, which the first one holds
// until unlock is called.
func openLocked(t *testing.T, first *Ledger, path string) (short *Ledger, unlock func()) {
	t.Helper()
	short, err := Open(t.Context(), path, Options{Now: atNoon, BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = short.Close() })
	conn, err := first.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	do := func(text string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	do("BEGIN IMMEDIATE")
	return short, func() { do("ROLLBACK") }
}
