package pkcs11

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/internal/testenv"
)

func TestModuleCrashes(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	m := load(t, h, shim(t, h, "SHIM_CRASH=3"))
	k := open(t, m, "pkcs11:token=t;object=k")
	for i := 1; i <= 6; i++ {
		err := signOnce(k)
		var died *HelperError
		if i%3 != 0 {
			if err != nil {
				t.Errorf("signature %d: %v", i, err)
			}
		} else if !errors.As(err, &died) || !strings.Contains(err.Error(), "shim.so: its process, kedge-pkcs11, died (exit status 2)") || !strings.Contains(err.Error(), "SIGSEGV") {
			t.Errorf("signature %d: %v; want that the process died", i, err)
		}
	}
}

func TestModuleHangs(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	o := shim(t, h, "SHIM_HANG=2")
	o.Timeout = 2 * time.Second
	k := open(t, load(t, h, o), "pkcs11:token=t;object=k")
	signs(t, k)
	err := signOnce(k)
	var died *HelperError
	if !errors.As(err, &died) || !strings.Contains(err.Error(), "did not answer within 2s and was ended") {
		t.Errorf("a signature that never comes: %v", err)
	}
	signs(t, k)
}

// TestCloseWhileHanging: the module does not keep its process from ending.
func TestCloseWhileHanging(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	m := load(t, h, shim(t, h, "SHIM_HANG=1"))
	k := open(t, m, "pkcs11:token=t;object=k")
	p := k.at.Load().p
	failed := make(chan error)
	go func() { failed <- signOnce(k) }()
	waitFor(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.pending) > 0
	})
	m.Close()
	if err := <-failed; err == nil {
		t.Error("a signature came after the end")
	}
	if p.why != "" { // the process saw the end of its input, as when its parent dies
		t.Errorf("the process had to be killed: it %s", p.why)
	}
	if _, err := os.Stat("/proc/self"); err == nil {
		if _, err := os.Stat(filepath.Join("/proc", pid(p))); err == nil {
			t.Errorf("process %s is there after Close", pid(p))
		}
	}
	if _, err := m.Key(t.Context(), URI{}, nil); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestProcessKilled kills kedge-pkcs11 while 20 goroutines sign: each has one error at most for
// each death, and nothing but that.
func TestProcessKilled(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	m := load(t, h, Options{})
	k := open(t, m, "pkcs11:token=t;object=k")
	const deaths = 3
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			failures := 0
			for {
				select {
				case <-stop:
					if failures > deaths {
						t.Errorf("%d errors of %d deaths", failures, deaths)
					}
					return
				default:
				}
				var died *HelperError
				if err := signOnce(k); errors.As(err, &died) && strings.Contains(err.Error(), "died (signal: killed)") {
					failures++
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range deaths {
		var p *process
		waitFor(t, func() bool { // a new one signs
			at := k.at.Load()
			if at == nil || !at.p.alive() {
				return false
			}
			p = at.p
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.next > 100
		})
		p.cmd.Process.Kill()
		<-p.ended
	}
	close(stop)
	wg.Wait()
	signs(t, k)
}

// TestKilledWhileIdle: nobody's call was lost, so nobody sees an error.
func TestKilledWhileIdle(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	k := open(t, load(t, h, Options{}), "pkcs11:token=t;object=k")
	p := k.at.Load().p
	p.cmd.Process.Kill()
	<-p.ended
	signs(t, k)
}

func TestTokenRemoved(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	h.Generate(t, "t", "EC:prime256v1", "02", "other")
	gone := filepath.Join(t.TempDir(), "gone")
	m := load(t, h, shim(t, h, "SHIM_GONE="+gone))
	k, other := open(t, m, "pkcs11:token=t;object=k"), open(t, m, "pkcs11:token=t;object=other")
	for range 2 {
		signs(t, k)
		signs(t, other)
		if err := os.WriteFile(gone, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := signOnce(k); err == nil || !strings.Contains(err.Error(), "no token matches pkcs11:serial=") {
				t.Errorf("without the token: %v", err)
			}
		}
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
		signs(t, k)
		signs(t, other)
	}
}

// TestTokenBlinks: a token that was away between two signatures is logged in to again, by
// all at once, and nobody sees an error.
func TestTokenBlinks(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	h.Generate(t, "t", "EC:prime256v1", "02", "other")
	gone, log := filepath.Join(t.TempDir(), "gone"), filepath.Join(t.TempDir(), "log")
	m := load(t, h, shim(t, h, "SHIM_GONE="+gone, "SHIM_LOG="+log))
	k, other := open(t, m, "pkcs11:token=t;object=k"), open(t, m, "pkcs11:token=t;object=other")
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Certificates(t.Context(), URI{}); err == nil { // the module notices
		t.Error("certificates of a token that is not there")
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { signs(t, k) })
		wg.Go(func() { signs(t, other) })
	}
	wg.Wait()
	if n := count(t, log, "login"); n != 2 {
		t.Errorf("logged in %d times, not twice", n)
	}
}

// TestFewSessions: a token that has two sessions serves twenty goroutines with them.
func TestFewSessions(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	log := filepath.Join(t.TempDir(), "log")
	m := load(t, h, shim(t, h, "SHIM_SESSIONS=2", "SHIM_LOG="+log))
	k := open(t, m, "pkcs11:token=t;object=k")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				signs(t, k)
			}
		})
	}
	wg.Wait()
	if n := count(t, log, "open"); n > 2 {
		t.Errorf("%d sessions were opened", n)
	}
}

// TestNoise: what a module prints does not get into the conversation, nor can it read of it.
func TestNoise(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	signs(t, open(t, load(t, h, shim(t, h, "SHIM_NOISE=1")), "pkcs11:token=t;object=k"))
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	helper := testenv.PKCS11Helper(t)
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.so")
	if err := os.WriteFile(filepath.Join(dir, "empty.c"), []byte("int nothing;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Run(t, dir, "gcc", "-shared", "-fPIC", "-o", empty, "empty.c")
	for _, c := range []struct{ helper, module, want string }{
		{helper, "/nowhere/m.so", "/nowhere/m.so: no such file or directory"},
		{helper, text, "load PKCS#11 module: " + text + ": "},
		{helper, empty, "is not a PKCS#11 module: it lacks C_GetFunctionList"},
		{"/bin/cat", empty, "garbage"},
		{"/bin/true", empty, "its process, kedge-pkcs11, ended by itself"},
		{"/bin/false", empty, "died (exit status 1)"},
		{text, empty, "permission denied"},
	} {
		m, err := Load(t.Context(), URI{}, Options{Helper: c.helper, Module: c.module})
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %v, want %s", c.module, c.helper, err, c.want)
		}
	}
}

// waitFor returns when the condition holds.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	tooLong := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-tooLong:
			t.Fatal("waited for 30 s")
		}
	}
}
