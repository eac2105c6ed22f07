//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
	"kedge/internal/testenv"
)

// TestIssueFrom_secondSignal: the first signal lets what was begun be finished, which another
// process can keep from being possible; the second ends the process.
func TestIssueFrom_secondSignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := writeHosts(t, dir, 2, "ledger.db")
	held := filepath.Join(dir, "host-0000.key")
	orphan(t, held)
	unlock, err := filelock.Lock(t.Context(), held, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = args
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	start := time.Now()
	for begun := false; ; { // the one that waits for the lock comes first in the list
		select {
		case err := <-ended: // or when the wait for the lock ended, after 30 seconds
			if err == nil || err.Error() != "signal: terminated" || !begun || time.Since(start) > 20*time.Second {
				t.Errorf("begun %v, after %v: %v", begun, time.Since(start), err)
			}
			return
		case <-tick.C:
		}
		if begun = begun || atomicfile.Vacant(filepath.Join(dir, "host-0001.pem")) != nil; begun {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		}
	}
}

// TestPipes: a pipe in the place of a key or of the configuration is an error at once.
func TestPipes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, "init", "--dir", filepath.Join(dir, "ca"), "--no-password")
	mustRun(t, "issue", "web-02", "--dir", filepath.Join(dir, "ca"), "--out", dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		pipe string
		args []string
	}{
		{"web-01.key", []string{"issue", "web-01"}},
		{"web-02.key.new", []string{"rekey", "web-02"}},
		{"web-03.pem", []string{"renew", "web-03"}},
		{"ca/sub.key", []string{"intermediate", "sub", "--no-password"}},
		{"ca/ca-2.key-uri", []string{"rotate", "start", "--no-password"}},
		{"ca/kedge-ca.yaml", []string{"issue", "web-04"}},
		{"ca/ca.key", []string{"issue", "web-04"}},
	}
	for _, tt := range tests {
		path := filepath.Join(dir, tt.pipe)
		_ = os.Remove(path)
		testenv.Run(t, dir, "mkfifo", path)
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Dir, cmd.Args = dir, append([]string{"kedge-ca"}, tt.args...)
		timer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		said, err := cmd.CombinedOutput()
		if !timer.Stop() || err == nil || cmd.ProcessState.ExitCode() < 1 {
			t.Errorf("%s: %v\n%s", tt.pipe, err, said)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
