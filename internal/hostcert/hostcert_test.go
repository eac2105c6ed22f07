package hostcert

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
	"kedge/internal/hostlist"
)

// testCA is a CA whose key is in memory, and a folder for hosts.
type testCA struct {
	t       *testing.T
	now     time.Time
	dir     string
	ledger  *ledger.Ledger
	service *issuance.Service
	issuer  *Issuer
}

func newTestCA(t *testing.T) *testCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &testCA{t: t, now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), dir: t.TempDir()}
	clock := func() time.Time { return c.now }
	c.ledger, err = ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Create: true, Now: clock})
	must(t, err)
	t.Cleanup(func() { must(t, c.ledger.Close()) })
	c.service, err = issuance.New(issuance.Config{Ledger: c.ledger, Keys: oneKey{key}, Now: clock})
	must(t, err)
	root, err := ca.PrepareRoot(key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "Test CA"}, Lifetime: 3650 * 24 * time.Hour, MaxPathLen: -1}, c.now)
	must(t, err)
	_, err = c.service.Found(t.Context(), root)
	must(t, err)
	issuer, err := c.service.Issuer(t.Context(), "")
	must(t, err)
	c.issuer = &Issuer{Issuer: issuer}
	return c
}

type oneKey struct{ key crypto.Signer }

func (k oneKey) Signer(context.Context, string, crypto.PublicKey) (crypto.Signer, error) {
	return k.key, nil
}
func (oneKey) Has(string) (bool, error) { return true, nil }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(*ca.Profile) (hostfiles.Generate, error) {
	return func() (crypto.Signer, []byte, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return key, der, err
	}, nil
}

// list plans the issuing for names, of which each may have a profile after a colon.
func (c *testCA) list(names ...string) (*List, error) {
	var rows []hostlist.Row
	for i, name := range names {
		name, profile, _ := strings.Cut(name, ":")
		rows = append(rows, hostlist.Row{Line: i + 2, Name: name, Host: name, Profile: profile})
	}
	return c.issuer.List(rows, ListOptions{
		Name: "hosts.csv", Out: c.dir, NewKey: newKey, Now: c.now, Expiry: issuance.Expiry{Percent: 25},
		Request: func(row hostlist.Row) ca.Request { return ca.Request{Name: row.Name, Host: row.Host} },
		Profile: func(name string) (*ca.Profile, error) {
			if name != "" {
				return nil, errors.New("there is no such profile")
			}
			return ca.DefaultProfile(), nil
		},
	})
}

func (c *testCA) issue(names ...string) {
	c.t.Helper()
	l, err := c.list(names...)
	must(c.t, err)
	must(c.t, l.Run(c.t.Context(), 2, func() {}))
}

func (c *testCA) renewer() *Renewer {
	return &Renewer{
		Service: c.service, Ledger: c.ledger, Now: func() time.Time { return c.now }, Out: c.dir, Workers: 2,
		Profile:    func(ledger.Certificate) (*ca.Profile, error) { return ca.DefaultProfile(), nil },
		AffectsAll: func(error) bool { return false },
	}
}

func (c *testCA) run(r *Renewer, words ...string) *Renewals {
	c.t.Helper()
	w, err := r.Plan(c.t.Context(), Named{Words: words, All: len(words) == 0})
	must(c.t, err)
	w.Run(c.t.Context(), c.issuer, func() {})
	return w
}

// TestList: a list is issued once, refused as a whole for one mistake, and resumed after an
// interruption.
func TestList(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	if _, err := c.list("web-01", "web-02:other"); err == nil || err.Error() != "hosts.csv:3: there is no such profile" {
		t.Error(err)
	}
	l, err := c.list("web-01", "web-02")
	must(t, err)
	ended, end := context.WithCancel(t.Context())
	end()
	err = l.Run(ended, 1, func() {})
	if far, ok := errors.AsType[*ListError](err); !ok || !errors.Is(err, ErrInterrupted) || far.Done >= far.Total || far.Total != 2 {
		t.Errorf("%v", err)
	}
	c.issue("web-01", "web-02")
	l, err = c.list("web-01", "web-02", "web-03")
	if err != nil || l.Before != 2 || l.Len() != 1 || l.Nearly != nil {
		t.Errorf("%+v, %v", l, err)
	}
	c.now = c.now.Add(23 * time.Hour)
	l, err = c.list("web-01", "web-02")
	if err != nil || len(l.Nearly) != 2 || l.Expired != nil {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestMake_exists: a name that has its files is not issued for again, and none of them changes.
func TestMake_exists(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	c.issue("web-01")
	files, err := hostfiles.In(c.dir, "web-01")
	must(t, err)
	before, err := os.ReadFile(files.Certificate)
	must(t, err)
	generate, _ := newKey(nil)
	_, err = c.issuer.Make(t.Context(), Request{Leaf: ca.Request{Name: "web-01"}, Profile: ca.DefaultProfile(), NewKey: generate, Files: files})
	if after, _ := os.ReadFile(files.Certificate); !errors.Is(err, fs.ErrExist) || string(after) != string(before) {
		t.Error(err)
	}
}

// TestRenew: what can be renewed is, and the rest is reported; what is not due is left.
func TestRenew(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	c.issue("web-01", "web-02", "db-01")
	name, err := issuance.SelectName("web-02")
	must(t, err)
	chosen, err := c.service.ToRevoke(t.Context(), []issuance.Selector{name}, ca.Superseded)
	must(t, err)
	_, err = c.service.Revoke(t.Context(), chosen.Certificates, ca.Superseded, "")
	must(t, err)
	c.now = c.now.Add(16 * time.Hour)
	w := c.run(c.renewer())
	part, ok := errors.AsType[*PartError](w.Err())
	if !ok || part.Done != 2 || part.Total != 3 || len(w.Failed) != 1 || w.Failed[0].Name != "web-02" {
		t.Errorf("%+v, %v", w, w.Err())
	}
	refused, ok := errors.AsType[*NotRenewedError](w.Failed[0].Err)
	if !ok || refused.Authority {
		t.Error(w.Failed[0].Err)
	}
	r := c.renewer()
	r.Within = 8 * time.Hour
	if w := c.run(r, "web-01", "db-*"); w.NotDue != 2 || w.Err() != nil || w.Done != nil {
		t.Errorf("%+v", w)
	}
	if w := c.run(c.renewer(), "gone"); w.Err() == nil || !errors.As(w.Err(), new(*issuance.NoMatchError)) {
		t.Errorf("%+v", w)
	}
}

// TestRenew_affectsAll: an error that would affect each of them ends the run.
func TestRenew_affectsAll(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	c.issue("web-01", "web-02", "web-03")
	r := c.renewer()
	r.Workers = 1
	if w, err := r.Plan(t.Context(), Named{}); err != nil || w.Named != 0 {
		t.Errorf("%+v, %v", w, err)
	}
	w, err := r.Plan(t.Context(), Named{All: true})
	must(t, err)
	r.AffectsAll = func(error) bool { return true }
	must(t, os.Remove(filepath.Join(c.dir, "web-01.pem")))
	w.Run(t.Context(), c.issuer, func() {})
	if w.Fatal == nil || len(w.Done) == 2 || !errors.Is(w.Err(), fs.ErrNotExist) {
		t.Errorf("%+v", w)
	}
}

// TestRekey: the key and the certificate are replaced together.
func TestRekey(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	c.issue("web-01")
	path := filepath.Join(c.dir, "web-01.key")
	before, err := hostfiles.ReadKey(path)
	must(t, err)
	r := c.renewer()
	r.NewKey = newKey
	w := c.run(r, "web-01")
	must(t, w.Err())
	after, err := hostfiles.ReadKey(path)
	must(t, err)
	cert, err := hostfiles.ReadCertificate(w.Done[0].Files.Certificate)
	if err != nil || ca.SameKey(after.Public(), before.Public()) || !ca.SameKey(cert.PublicKey, after.Public()) {
		t.Error("the key or its certificate is the old one", err)
	}
}
