package enroll

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
	"kedge/internal/testenv"
)

// faulty is a host that asks while something is wrong with the CA.
type faulty struct {
	w     *world
	token enrollapi.TokenProof
	// the same requests each time
	enroll enrollapi.EnrollRequest
	renew  enrollapi.RenewRequest
}

func newFaulty(w *world) *faulty {
	w.t.Helper()
	fresh := &machine{w: w, name: "new-01", key: newKey(w.t), token: w.token(nil, "new-01")}
	old := w.machine("web-01")
	return &faulty{w, fresh.token, fresh.enrollRequest(fresh.name), old.renewRequest(old.name, newKey(w.t))}
}

// fails checks that requests get a code that lets hosts try again, with none of the CA's own words.
func (f *faulty) fails(what string, codes ...enrollapi.Code) {
	f.w.t.Helper()
	for path, message := range map[string]any{enrollapi.PathEnroll: f.enroll, enrollapi.PathRenew: f.renew} {
		got := f.w.post(path, message)
		good := got.status == http.StatusServiceUnavailable && got.err.RetryAfter > 0 && got.header.Get("Retry-After") != ""
		for _, code := range codes {
			if got.err.Code == code && good {
				codes = nil
			}
		}
		if codes != nil {
			f.w.t.Errorf("%s: %s answers %d, %+v: %s", what, path, got.status, got.err, got.record)
		}
		codes = []enrollapi.Code{enrollapi.Unavailable, enrollapi.Overloaded}
		if text := got.err.Message + got.err.Hint; strings.Contains(text, "ledger") || strings.Contains(text, "SQL") || strings.Contains(text, "/") {
			f.w.t.Errorf("%s: the host is told %q", what, text)
		}
	}
}

// works checks that the same requests are granted, and that nothing was done twice.
func (f *faulty) works(what string) {
	f.w.t.Helper()
	for path, message := range map[string]any{enrollapi.PathEnroll: f.enroll, enrollapi.PathRenew: f.renew} {
		if got := f.w.post(path, message); got.status != http.StatusOK {
			f.w.t.Errorf("%s: %s answers %s", what, path, got.record)
		}
	}
	if n, m, used := len(f.w.leaves("new-01")), len(f.w.leaves("web-01")), f.w.used(f.token); n != 1 || m != 2 || used != 1 {
		f.w.t.Errorf("%s: %d and %d certificates, the token was used %d times", what, n, m, used)
	}
	f.w.verified()
}

// TestLedger_locked: while another process holds the ledger's lock, hosts are to come again.
func TestLedger_locked(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "ledger.db")
	w := newWorldOn(t, where)
	f := newFaulty(w)
	w.server.service = w.impatient(where)
	db, err := sql.Open("sqlite", where)
	w.must(err)
	defer db.Close()
	other, err := db.Conn(t.Context())
	w.must(err)
	_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	w.must(err)
	f.fails("locked", enrollapi.Overloaded)
	_, err = other.ExecContext(t.Context(), "ROLLBACK")
	w.must(err)
	w.must(other.Close())
	f.works("released")
}

// impatient is a service that waits for the ledger only briefly.
func (w *world) impatient(where string) *issuance.Service {
	w.t.Helper()
	l, err := ledger.Open(w.t.Context(), where, ledger.Options{Now: w.now, AnyClock: true, BusyTimeout: 20 * time.Millisecond})
	w.must(err)
	w.t.Cleanup(func() { l.Close() })
	s, err := issuance.New(issuance.Config{Ledger: l, Now: w.now, Keys: w})
	w.must(err)
	return s
}

// TestLedger_gone: while the database is down, or lets nobody write since another server has taken its
// place, hosts are to come again; when it is back, the server goes on without being restarted.
func TestLedger_gone(t *testing.T) {
	t.Parallel()
	postgres := testenv.NewPostgresServer(t)
	dsn := postgres.Database(t)
	w := newWorldOn(t, dsn)
	f := newFaulty(w)
	postgres.Stop(t)
	f.fails("gone", enrollapi.Unavailable)
	if got := w.send(http.MethodGet, enrollapi.PathReady, nil); got.status != http.StatusServiceUnavailable {
		t.Errorf("ready without a ledger: %d", got.status)
	}
	postgres.Start(t)
	db, err := sql.Open("pgx", dsn)
	w.must(err)
	defer db.Close()
	readOnly := func(setting string) {
		for _, text := range []string{
			"SET default_transaction_read_only = off", "ALTER ROLE postgres SET default_transaction_read_only = " + setting,
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
		} {
			_, err := db.ExecContext(t.Context(), text)
			w.must(err)
		}
	}
	db.SetMaxOpenConns(1)
	readOnly("on")
	f.fails("read-only", enrollapi.Unavailable)
	readOnly("off")
	f.works("back")
}

// brokenKey is a key whose hardware can be unplugged.
type brokenKey struct {
	crypto.Signer
	gone atomic.Bool
}

func (k *brokenKey) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if k.gone.Load() {
		return nil, errors.New("the token /dev/ledger was removed")
	}
	return k.Signer.Sign(random, digest, o)
}

// TestCAKey_gone: while the key of the CA does not sign, hosts are to come again.
func TestCAKey_gone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newFaulty(w)
	key := &brokenKey{Signer: w.keys[issuance.RootName]}
	w.keys[issuance.RootName] = key
	w.server.service = w.anotherService()
	key.gone.Store(true)
	f.fails("unplugged", enrollapi.Unavailable)
	key.gone.Store(false)
	f.works("plugged in")
}

// TestHost: whatever a client or a proxy says the server's name is, it is answered alike, and the name
// comes to stand nowhere.
func TestHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, host := range []string{"ca.example.com", "elsewhere.example.net", "127.0.0.1:1", "[::1]", "x\"><script>", "a b", ""} {
		h := w.machine(fmt.Sprintf("web-%d", i))
		got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name), func(r *http.Request) { r.Host = host })
		if got.status != http.StatusOK || got.header.Get("Location") != "" || host != "" && strings.Contains(got.record, host) {
			t.Errorf("%q: %d %s", host, got.status, got.record)
		}
	}
}

// TestReordered: requests that arrive again, late and in another order get the recorded answers or are
// refused, and change nothing.
func TestReordered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := &machine{w: w, name: "new-01", key: newKey(t), token: w.token(nil, "new-01")}
	enroll := h.enrollRequest(h.name)
	first := w.post(enrollapi.PathEnroll, enroll)
	h.leaf = first.certificate(t)
	w.wait(16 * time.Hour)
	next := newKey(t)
	renew := h.renewRequest(h.name, next)
	second := w.post(enrollapi.PathRenew, renew)
	h.leaf, h.key = second.certificate(t), next
	seq := w.seq()
	for i, step := range []struct {
		path    string
		message any
		serial  string
		code    enrollapi.Code
		wait    time.Duration
	}{
		{enrollapi.PathRenew, renew, second.answer.Serial, "", 0},
		{enrollapi.PathEnroll, enroll, first.answer.Serial, "", 0},
		{enrollapi.PathRenew, renew, second.answer.Serial, "", 10 * time.Minute},
		{enrollapi.PathRenew, renew, "", enrollapi.Clock, 10 * time.Minute},
		{enrollapi.PathUnenroll, renew, "", enrollapi.BadSignature, 0},
		{enrollapi.PathEnroll, enroll, "", enrollapi.TokenExpired, 9 * time.Hour},
	} {
		w.wait(step.wait)
		got := w.post(step.path, step.message)
		if got.answer.Serial != step.serial || got.err.Code != step.code || w.seq() != seq {
			t.Errorf("step %d: serial %q, code %q, entry %d, want %q, %q, %d", i, got.answer.Serial, got.err.Code, w.seq(), step.serial, step.code, seq)
		}
	}
	if got := w.post(enrollapi.PathRenew, h.renewRequest(h.name, newKey(t))); got.status != http.StatusOK {
		t.Error(got.record)
	}
	w.verified()
}

// TestSlowClients: clients that send a part of a request and wait keep no other from being answered,
// and are disconnected.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	terms := *w.server.terms.Load()
	terms.Names = []string{"127.0.0.1"}
	w.server.SetTerms(&terms)
	w.must(w.server.RenewCertificate(t.Context()))
	f := w.startFront()
	config := &tls.Config{InsecureSkipVerify: true} // it is the one in this process
	parts := []string{"", "POST /v1/enroll HTTP/1.1\r\nHost: x\r\n", "POST /v1/enroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"}
	var slow []net.Conn
	for i := range 60 {
		raw, err := net.Dial("tcp", f.server)
		w.must(err)
		defer raw.Close()
		slow = append(slow, raw)
		if i%4 == 3 {
			continue // not even a handshake
		}
		c := tls.Client(raw, config)
		_, err = io.WriteString(c, parts[i%4])
		w.must(err)
		slow[i] = c
	}
	h := w.machine("web-01")
	body, err := json.Marshal(h.enrollRequest(h.name))
	w.must(err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	defer client.CloseIdleConnections()
	response, err := client.Post("https://"+f.server+enrollapi.PathEnroll, enrollapi.ContentType, bytes.NewReader(body))
	w.must(err)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Error(response.Status)
	}
	for i, c := range slow {
		in := bufio.NewReader(c)
		answer, err := http.ReadResponse(in, nil)
		if err == nil && answer.StatusCode < 400 {
			t.Errorf("client %d gets %s", i, answer.Status)
		}
		if _, err := io.Copy(io.Discard, in); errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("client %d: %v", i, err)
		}
	}
}
