package caserver

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/httpserver"
	"kedge/internal/localca"
	"kedge/internal/webhook"
)

// house is a CA whose only authority has its key in memory, and the daemon that keeps it.
type house struct {
	*daemon
	t    *testing.T
	now  time.Time
	key  crypto.Signer
	log  strings.Builder
	dir  string
	last int64 // number of the last list
}

func (x *house) Signer(context.Context, string, crypto.PublicKey) (crypto.Signer, error) {
	return x.key, nil
}

func (x *house) Has(string) (bool, error) { return true, nil }

func newHouse(t *testing.T) *house {
	t.Helper()
	x := &house{t: t, now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), dir: t.TempDir()}
	now := func() time.Time { return x.now }
	var err error
	x.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	x.must(err)
	l, err := ledger.Open(t.Context(), filepath.Join(x.dir, "ledger.db"), ledger.Options{Create: true, Now: now, AnyClock: true})
	x.must(err)
	t.Cleanup(func() { _ = l.Close() })
	folder := cadir.Folder{Dir: x.dir}
	service, err := issuance.New(issuance.Config{Ledger: l, Now: now, Keys: x, LastList: folder.LastCRL})
	x.must(err)
	root, err := ca.PrepareRoot(x.key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "kedge CA"}, Lifetime: 3650 * 24 * time.Hour, MaxPathLen: -1}, x.now)
	x.must(err)
	_, err = service.Found(t.Context(), root)
	x.must(err)
	log := slog.New(slog.NewTextHandler(&x.log, nil))
	x.daemon = &daemon{Config: Config{CA: &localca.CA{Ledger: l, Service: service}, Folder: folder, Now: now, Log: log}, limited: httpserver.NewRateLimited(log)}
	x.configure("crl: {valid: 48h}\n")
	return x
}

func (x *house) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// configure replaces the configuration.
func (x *house) configure(text string) {
	x.t.Helper()
	settings, err := cadir.ParseSettings([]byte(text))
	x.must(err)
	x.settings.Store(settings)
}

// leaf issues a certificate for a host.
func (x *house) leaf(name string) ledger.Certificate {
	x.t.Helper()
	issuer, err := x.CA.Service.Issuer(x.t.Context(), "")
	x.must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	x.must(err)
	leaf, err := issuer.Prepare(ca.DefaultProfile(), ca.Request{Name: name, Host: name, Public: key.Public()})
	x.must(err)
	_, err = leaf.Issue(x.t.Context())
	x.must(err)
	for c, err := range x.CA.Ledger.List(x.t.Context(), ledger.Filter{CommonName: name}) {
		x.must(err)
		return c
	}
	x.t.Fatal("it is not there")
	return ledger.Certificate{}
}

// made reports whether the housework made a list.
func (x *house) made() bool {
	x.t.Helper()
	x.housework(x.t.Context())
	path, err := x.CA.Service.Path(x.t.Context(), "")
	x.must(err)
	list, err := x.CA.Ledger.LastCRL(x.t.Context(), path[0].Certificate)
	x.must(err)
	is := list.Number != x.last
	x.last = list.Number
	return is
}

// TestHousework_lists: lists are made when they are due, for as long as in the configuration, and
// lie in the folder.
func TestHousework_lists(t *testing.T) {
	t.Parallel()
	x := newHouse(t)
	for _, step := range []struct {
		what string
		do   func()
		want bool
	}{
		{"at first", func() {}, true},
		{"a minute later", func() { x.now = x.now.Add(time.Minute) }, false},
		{"before half of its time", func() { x.now = x.now.Add(23 * time.Hour) }, false},
		{"after half of its time", func() { x.now = x.now.Add(time.Hour) }, true},
		{"after a revocation", func() {
			host := x.leaf("web-01")
			x.must(x.CA.Ledger.Revoke(t.Context(), [][]byte{host.Fingerprint}, ledger.Revocation{Reason: ca.Superseded, At: x.now}))
		}, true},
		{"while another has the lock", func() {
			x.now = x.now.Add(30 * time.Hour)
			release, ok, err := x.CA.Service.TryLock(t.Context())
			if !ok {
				t.Fatal(err)
			}
			t.Cleanup(release)
		}, false},
	} {
		step.do()
		if got := x.made(); got != step.want {
			t.Errorf("%s: made %v", step.what, got)
		}
	}
	der, _, err := x.Folder.LastCRL(issuance.RootName)
	x.must(err)
	path, err := x.CA.Service.Path(t.Context(), "")
	x.must(err)
	if published, err := x.CA.Service.PublishedList(t.Context(), path[0]); err != nil || string(published) != string(der) {
		t.Errorf("the folder and the servers have different lists: %v", err)
	}
	if log := x.log.String(); strings.Count(log, "revocation list made") != 3 || strings.Contains(log, "level=WARN") {
		t.Error(log)
	}
}

// TestHousework_folder: a folder that cannot be written keeps no server from having the list.
func TestHousework_folder(t *testing.T) {
	t.Parallel()
	x := newHouse(t)
	x.must(os.MkdirAll(filepath.Join(x.dir, "crl", "ca.crl", "x"), 0o700)) // in the place of the file
	if !x.made() || x.made() {
		t.Error("not made once")
	}
	if log := x.log.String(); !strings.Contains(log, "a revocation list is not in the folder of the CA") {
		t.Error(log)
	}
}

// receiver gets reports.
type receiver struct {
	*httptest.Server
	status atomic.Int32
	events []string // "kind name"
	tries  int
}

func newReceiver(t *testing.T, secret string) *receiver {
	r := &receiver{}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.tries++
		body, err := io.ReadAll(q.Body)
		var n notice
		if err != nil || json.Unmarshal(body, &n) != nil || n.Schema != 1 || n.SentAt.IsZero() {
			t.Errorf("%q, %v", body, err)
		}
		if got := q.Header.Get(webhook.SignatureHeader); got != webhook.Sign([]byte(secret), n.SentAt, body) {
			t.Errorf("signature %q", got)
		}
		status := int(r.status.Load())
		if w.WriteHeader(status); status == http.StatusOK {
			for _, e := range n.Events {
				r.events = append(r.events, e.Kind+" "+e.Name)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// TestHousework_notify: the operator hears of each event once, later if the receiver is down, and from
// one server of several.
func TestHousework_notify(t *testing.T) {
	t.Parallel()
	x := newHouse(t)
	const secret = "0123456789abcdef0123456789abcdef"
	x.must(os.WriteFile(filepath.Join(x.dir, "hook.secret"), []byte(secret+"\n"), 0o600))
	r := newReceiver(t, secret)
	config := "notify: {url: '" + r.URL + "/hook', secret_file: hook.secret, retries: 0}\n"
	x.configure(config)
	told := func(what string, want ...string) {
		t.Helper()
		x.housework(t.Context())
		if got := strings.Join(r.events, ", "); got != strings.Join(want, ", ") {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		r.events = nil
	}
	x.leaf("web-01")
	told("all is well")
	if r.tries != 0 {
		t.Errorf("%d reports of nothing", r.tries)
	}
	x.now = x.now.Add(20 * time.Hour)
	r.status.Store(http.StatusServiceUnavailable)
	told("the receiver is down")
	r.status.Store(http.StatusOK)
	told("it is back", "overdue web-01")
	told("a minute later")
	for i := range maxEvents + 5 {
		x.leaf(fmt.Sprintf("many-%d", i))
	}
	x.now = x.now.Add(30 * time.Hour)
	before := r.tries
	x.housework(t.Context())
	if len(r.events) != maxEvents+5 || r.tries != before+2 {
		t.Errorf("%d events in %d reports", len(r.events), r.tries-before)
	}
	r.events = nil
	x.must(os.Chmod(filepath.Join(x.dir, "hook.secret"), 0o644))
	x.leaf("web-03")
	x.now = x.now.Add(20 * time.Hour)
	told("others can read the secret")
	if log := x.log.String(); !strings.Contains(log, "hook.secret can be read by every user") || strings.Contains(log, secret) {
		t.Error(log)
	}
}

// TestKeepHouse_busy: a server that finds another at work makes its lists soon after that, and not only at
// its next round, in which the other may be faster again.
func TestKeepHouse_busy(t *testing.T) {
	t.Parallel()
	x := newHouse(t)
	release, ok, err := x.CA.Service.TryLock(t.Context())
	x.must(err)
	if !ok {
		t.Fatal("another is at work")
	}
	ctx, stop := context.WithTimeout(t.Context(), 6*houseWait)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		x.keepHouse(ctx, nil)
	}()
	time.AfterFunc(houseWait/2, release)
	path, err := x.CA.Service.Path(t.Context(), "")
	x.must(err)
	for made := false; !made; time.Sleep(20 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("no list is made")
		}
		_, err := x.CA.Ledger.LastCRL(t.Context(), path[0].Certificate)
		made = err == nil
	}
	stop()
	<-ended
}
