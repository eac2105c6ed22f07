package tpm_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/testenv"
	"kedge/tpm"
)

// TestManySigners: twenty goroutines sign with five keys, in a TPM that holds three, while
// another program uses it too.
func TestManySigners(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	file := openssl(t, s, "EC", "group:P-256")
	withAuth := openssl(t, s, "EC", "group:P-256", "user-auth:kedge-auth")
	auth := secret("kedge-auth")
	handle := persist(t, s, 0x81000040, "-G", "ecc256", "-p", "kedge-auth")
	keys := []*tpm.Key{
		open(t, tpm.Config{Device: s.Device, File: file}),
		open(t, tpm.Config{Device: s.Device, File: file}),
		open(t, tpm.Config{Device: s.Device, File: withAuth, KeyAuth: auth}),
		open(t, tpm.Config{Device: s.Device, File: withAuth, KeyAuth: auth}),
		open(t, tpm.Config{Device: s.Device, Handle: handle, KeyAuth: auth}),
	}
	const workers, each = 20, 100
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			for range each {
				if err := trySign(keys[i%len(keys)], crypto.SHA256); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	for others := 0; ; others++ {
		s.Run(t, t.TempDir(), "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc") // and a flush of all there is
		select {
		case <-done:
			t.Logf("%d signatures, and %d runs of another program meanwhile", workers*each, others)
			for _, key := range keys {
				key.Close()
			}
			if left := s.Transient(t); left != "" {
				t.Errorf("left in the TPM: %s", left)
			}
			return
		default:
		}
	}
}

// TestManyProcesses: as many programs, each of which loads the key, signs once and ends.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	file := openssl(t, s, "EC", "group:P-256", "user-auth:kedge-auth")
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range 5 {
				key, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, File: file, KeyAuth: secret("kedge-auth")})
				if err != nil {
					t.Error(err)
					return
				}
				check(t, key, crypto.SHA256)
				key.Close()
			}
		})
	}
	group.Wait()
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

// TestRestart: a TPM that is gone is one clear error, and the next call after it is back works.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *testenv.SwtpmServer{"unix": testenv.Swtpm, "tcp": testenv.SwtpmTCP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			// A protected key used before a power cut counts as one wrong try.
			s.Run(t, t.TempDir(), "tpm2_dictionarylockout", "-s", "-n", "100")
			auth := secret("kedge-auth")
			keys := map[string]*tpm.Key{
				"file":             open(t, tpm.Config{Device: s.Device, File: openssl(t, s, "EC", "group:P-256")}),
				"file with auth":   open(t, tpm.Config{Device: s.Device, File: openssl(t, s, "EC", "group:P-256", "user-auth:kedge-auth"), KeyAuth: auth}),
				"handle":           open(t, tpm.Config{Device: s.Device, Handle: persist(t, s, 0x81000041, "-G", "ecc256")}),
				"handle with auth": open(t, tpm.Config{Device: s.Device, Handle: persist(t, s, 0x81000042, "-G", "ecc256", "-p", "kedge-auth"), KeyAuth: auth}),
			}
			for name, key := range keys {
				check(t, key, crypto.SHA256)
				s.Stop(t)
				if err := trySign(key, crypto.SHA256); !errors.Is(err, tpm.ErrNoDevice) {
					t.Errorf("%s, while the TPM is off: %v", name, err)
				}
				s.Start(t)
				check(t, key, crypto.SHA256)
				s.Stop(t) // the connection is open
				s.Start(t)
				check(t, key, crypto.SHA256)
				key.Close()
			}
			if left := s.Transient(t); left != "" {
				t.Errorf("left in the TPM: %s", left)
			}
		})
	}
}

// TestReplacedHandle: another key under the same handle is not signed with.
func TestReplacedHandle(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	handle := persist(t, s, 0x81000043, "-G", "ecc256")
	key := open(t, tpm.Config{Device: s.Device, Handle: handle})
	check(t, key, crypto.SHA256)
	s.Run(t, t.TempDir(), "tpm2_evictcontrol", "-Q", "-C", "o", "-c", fmt.Sprintf("0x%x", handle))
	if err := trySign(key, crypto.SHA256); !errors.Is(err, tpm.ErrNoHandle) {
		t.Errorf("after the key was removed: %v", err)
	}
	persist(t, s, handle, "-G", "ecc256")
	if err := trySign(key, crypto.SHA256); err == nil || !strings.Contains(err.Error(), "another key lies there") {
		t.Errorf("after another took its place: %v", err)
	}
}

// TestSlots: a TPM full of others' objects is waited for.
func TestSlots(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	file := openssl(t, s, "EC", "group:P-256")
	for range 3 {
		s.Keep(t, t.TempDir(), "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := tpm.Open(ctx, tpm.Config{Device: s.Device, File: file}); !errors.Is(err, tpm.ErrBusy) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("all slots taken: %v", err)
	}
	opened := make(chan *tpm.Key)
	go func() {
		key, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, File: file})
		if err != nil {
			t.Error(err)
		}
		opened <- key
	}()
	s.Keep(t, t.TempDir(), "tpm2_flushcontext", "-t")
	if key := <-opened; key != nil {
		check(t, key, crypto.SHA256)
		key.Close()
	}
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

// relay stands between a key and its TPM, and may lose commands or hold them back.
type relay struct {
	device string
	signs  atomic.Int64                // TPM2_Sign commands seen
	before atomic.Pointer[func() bool] // called for each; false: the connection breaks there
}

func newRelay(t *testing.T, s *testenv.SwtpmServer) *relay {
	t.Helper()
	r := &relay{}
	r.device = between(t, s, r.serve)
	return r
}

// between listens in front of the TPM, connects each client to it, and returns where.
func between(t *testing.T, s *testenv.SwtpmServer, serve func(client, server net.Conn)) (device string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tpm.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", strings.TrimPrefix(s.Device, "unix:"))
			if err != nil {
				client.Close()
				continue
			}
			go serve(client, server)
		}
	}()
	return "unix:" + path
}

// serve passes one command at a time.
func (r *relay) serve(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	buf := make([]byte, 4096)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		const sign = "\x00\x00\x01\x5d"
		if string(buf[6:10]) == sign {
			r.signs.Add(1)
			if before := r.before.Load(); before != nil && !(*before)() {
				return
			}
		}
		server.Write(buf[:n])
		if n, err = server.Read(buf); err != nil {
			return
		}
		client.Write(buf[:n])
	}
}

// TestBrokenConnection: a signature lost with its connection is made again, once; but not
// with an auth value that may have been counted as wrong.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	r := newRelay(t, s)
	file := openssl(t, s, "EC", "group:P-256")
	withAuth := openssl(t, s, "EC", "group:P-256", "user-auth:kedge-auth")
	breakNext := func(n int64) {
		until := r.signs.Load() + n
		lost := func() bool { return r.signs.Load() > until }
		r.before.Store(&lost)
	}
	key := open(t, tpm.Config{Device: r.device, File: file})
	check(t, key, crypto.SHA256) // the first after power-on the TPM wants to be sent twice
	breakNext(1)
	sent := r.signs.Load()
	check(t, key, crypto.SHA256)
	if n := r.signs.Load() - sent; n != 2 {
		t.Errorf("%d commands for a signature lost once", n)
	}
	breakNext(2)
	if err := trySign(key, crypto.SHA256); err == nil || !strings.Contains(err.Error(), "the connection to the TPM broke") {
		t.Errorf("lost twice: %v", err)
	}
	check(t, key, crypto.SHA256)
	key.Close()

	key = open(t, tpm.Config{Device: r.device, File: withAuth, KeyAuth: secret("kedge-auth")})
	breakNext(1)
	sent = r.signs.Load()
	if err := trySign(key, crypto.SHA256); err == nil || r.signs.Load() != sent+1 {
		t.Errorf("with an auth value not known to be right: %d commands, %v", r.signs.Load()-sent, err)
	}
	check(t, key, crypto.SHA256) // now it is
	breakNext(1)
	check(t, key, crypto.SHA256)
	key.Close()
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

// TestDeadline: a TPM that does not answer costs each caller its own time only, and the next
// call works once it answers.
func TestDeadline(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	r := newRelay(t, s)
	key := open(t, tpm.Config{Device: r.device, File: openssl(t, s, "EC", "group:P-256"), Timeout: 50 * time.Millisecond})
	stuck := make(chan struct{})
	wait := func() bool { <-stuck; return true }
	r.before.Store(&wait)
	if err := trySign(key, crypto.SHA256); err == nil || !strings.Contains(err.Error(), "no signature within 50ms") {
		t.Errorf("a TPM that does not answer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	digest := sha256.Sum256(nil)
	if _, err := key.SignContext(ctx, digest[:], crypto.SHA256); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	close(stuck)
	if _, err := key.SignContext(t.Context(), digest[:], crypto.SHA256); err != nil {
		t.Error(err)
	}
	key.Close()
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}
