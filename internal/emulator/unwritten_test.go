package emulator

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lines passes on what is logged, an entry each.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// unwritten is an emulator with a session that was answered and could not be written, since its folder was not there for a
// moment. It returns the state folder, and what was logged.
func unwritten(t *testing.T, root *authority) (e *Emulator, dir, logged string) {
	t.Helper()
	dir = t.TempDir()
	log := make(lines, 100)
	e = newEmulator(t, root, func(c *Config) { c.StateDir, c.Log = dir, log })
	sessions, away := filepath.Join(dir, "sessions"), filepath.Join(dir, "away")
	if err := os.Rename(sessions, away); err != nil {
		t.Fatal(err)
	}
	if err := e.sessions.add(assumedSession()); err != nil {
		t.Fatal(err)
	}
	select {
	case logged = <-log:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is logged")
	}
	if err := os.Rename(away, sessions); err != nil {
		t.Fatal(err)
	}
	return e, dir, logged
}

// TestUnwritten_logged: a file that cannot be written after the answer is one line in the log.
func TestUnwritten_logged(t *testing.T) {
	t.Parallel()
	_, dir, logged := unwritten(t, newRoot(t, caTemplate("Root")))
	want := "error: 1 file was not written into the state folder " + filepath.Join(dir, "sessions") + ": there is no such folder any more; it is kept in memory"
	if !strings.Contains(logged, want) || strings.Count(logged, "\n") != 1 {
		t.Errorf("logged: %q, want %q", logged, want)
	}
}

// stopped runs an emulator that is stopped at once, and returns how many sessions a new one has in its state folder.
func stopped(t *testing.T, root *authority, e *Emulator, dir string) int {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := Run(ctx, l, e); err != nil {
		t.Error(err)
	}
	return len(newEmulator(t, root, func(c *Config) { c.StateDir = dir }).Sessions())
}

// TestRun_flush: when it ends, a session that was answered and could not be written before is in the state folder.
func TestRun_flush(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e, dir, _ := unwritten(t, root)
	if n := stopped(t, root, e, dir); n != 1 {
		t.Errorf("%d sessions after a restart, want 1", n)
	}
}

// TestRun_flushMany: when it ends, so are those that wait for the disk.
func TestRun_flushMany(t *testing.T) {
	t.Parallel()
	root, dir := newRoot(t, caTemplate("Root")), t.TempDir()
	e := newEmulator(t, root, func(c *Config) { c.StateDir = dir })
	const many = 200
	for range many {
		if err := e.sessions.add(assumedSession()); err != nil {
			t.Fatal(err)
		}
	}
	if n := stopped(t, root, e, dir); n != many {
		t.Errorf("%d sessions after a restart, want %d", n, many)
	}
}

// assumedSession is a session that can be stored.
func assumedSession() *Session {
	made := newSession(testNow, time.Hour)
	made.AssumedRoleARN, made.UserID, made.Account = "assumed", "user", "111122223333"
	return made
}
