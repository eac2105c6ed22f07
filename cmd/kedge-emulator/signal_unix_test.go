//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"kedge/internal/cli"
)

// A pipe that nobody writes to must not make the program deaf to SIGTERM.
func TestRun_signalEndsStartUp(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "ca.pem")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "kedge-emulator", "--trust-anchor", pipe)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns once the program has opened it too
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %s, want SIGTERM", cmd.ProcessState)
	}
}

// A state folder is for one process at a time, and free again after it.
func TestRun_stateInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, state := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "state")
	if err := os.WriteFile(ca, certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, "--trust-anchor", ca, "--state", state)
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"--trust-anchor", ca, "--state", state}, cli.Streams{Out: io.Discard, Err: &stderr})
	want := "kedge-emulator: error: " + state + ": another emulator uses this state folder\nkedge-emulator: hint: stop the other one, or use another folder with --state\n"
	if code != cli.ExitFailed || stderr.String() != want {
		t.Errorf("exit %d: %s\nwant %s", code, &stderr, want)
	}
	r.stop()
	start(t, "--trust-anchor", ca, "--state", state)
}

// Once it serves, SIGTERM is the way to stop it: exit code 0, and no file left.
func TestRun_signalStopsServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, pid := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "pid")
	if err := os.WriteFile(ca, certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "kedge-emulator", "--trust-anchor", ca, "--pid-file", pid)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // it is ready
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(pid); !os.IsNotExist(err) {
		t.Errorf("the pid file is still there: %v", err)
	}
}
