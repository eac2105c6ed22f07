package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/emulator"
)

// cacheHost is a service that counts, and a host with a runtime directory.
type cacheHost struct {
	program, runtime string
	args             []string
	sessions         atomic.Int32
	hang             atomic.Bool   // the next request gets no answer
	hung             chan struct{} // one does
}

func newCacheHost(t *testing.T) *cacheHost {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no runtime directory there")
	}
	dir := t.TempDir()
	// Not the test's own binary: fifty with a race detector are busy for longer than one waits for another.
	program := filepath.Join(dir, "kedge")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	h := &cacheHost{program: program, runtime: filepath.Join(dir, "run"), hung: make(chan struct{}, 1)}
	if err := os.Mkdir(h.runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	root := newAuthority(t)
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pemOf("CERTIFICATE", root.Certificate().Raw)}}})
	if err != nil {
		t.Fatal(err)
	}
	handler := e.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.sessions.Add(1)
		if h.hang.CompareAndSwap(true, false) {
			h.hung <- struct{}{}
			panic(http.ErrAbortHandler) // not before the client is gone: see kill
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	issue(t, root, dir, "leaf", time.Now())
	h.args = []string{
		"kedge", "credential-process", "--endpoint", server.URL, "--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(),
		"--role-arn", e.RoleARN(), "--certificate", filepath.Join(dir, "leaf.pem"), "--private-key", filepath.Join(dir, "leaf.key"),
	}
	return h
}

func (h *cacheHost) command() (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(h.program)
	cmd.Args = h.args
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+h.runtime)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	return cmd, &stdout
}

// get runs the program and returns what it prints.
func (h *cacheHost) get() (string, error) {
	cmd, stdout := h.command()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if stderr.Len() > 0 {
		err = errors.Join(err, errors.New(stderr.String()))
	}
	return stdout.String(), err
}

// TestCache_50Processes: of fifty processes that start at once with nothing in the cache, one makes
// a session, and all have it.
func TestCache_50Processes(t *testing.T) {
	t.Parallel()
	h := newCacheHost(t)
	var group sync.WaitGroup
	var outputs [50]string
	for i := range outputs {
		group.Go(func() {
			var err error
			if outputs[i], err = h.get(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, output := range outputs {
		if output == "" || output != outputs[0] {
			t.Fatalf("one got %.60q, another %.60q", output, outputs[0])
		}
	}
	if n := h.sessions.Load(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// TestCache_killed: a process that dies with the lock, while it waits for its session, is no
// obstacle to the next.
func TestCache_killed(t *testing.T) {
	t.Parallel()
	h := newCacheHost(t)
	for range 5 {
		h.hang.Store(true)
		cmd, stdout := h.command()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-h.hung
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || stdout.Len() > 0 {
			t.Errorf("it was killed and printed %q", stdout)
		}
	}
	locks, err := filepath.Glob(filepath.Join(h.runtime, "kedge", "*.lock"))
	if err != nil || len(locks) != 1 {
		t.Errorf("locks: %q, %v", locks, err)
	}
	start := time.Now()
	first, err := h.get()
	if err != nil {
		t.Error(err)
	}
	if waited := time.Since(start); waited > 9*time.Second { // which is short of how long a lock is waited for
		t.Errorf("the next took %s", waited)
	}
	if again, err := h.get(); err != nil || again != first {
		t.Errorf("got %.60q, %v", again, err)
	}
	if n := h.sessions.Load(); n != 6 {
		t.Errorf("%d sessions", n)
	}
}
