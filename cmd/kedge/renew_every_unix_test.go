//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
)

// itself returns a command that runs kedge, with a file for what it writes to standard error.
func itself(t *testing.T, args ...string) (cmd *exec.Cmd, words string) {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	words = filepath.Join(t.TempDir(), "stderr")
	stderr, err := os.Create(words)
	must(t, err)
	t.Cleanup(func() { stderr.Close() })
	return &exec.Cmd{Path: path, Args: append([]string{"kedge"}, args...), Stderr: stderr}, words
}

// awaitTrue waits until something is so.
func awaitTrue(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if isSo() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// TestRenew_every: what is due is renewed again and again; a failure is reported, even with --quiet, and ends
// nothing; SIGTERM ends it, and is no failure.
func TestRenew_every(t *testing.T) {
	t.Parallel()
	server := enrolltest.New(t)
	server.Change = func(a *enrollapi.Answer) { a.Renew = enrollapi.Window{After: 1, Before: 1} } // due a second after the answer
	dir := filepath.Join(t.TempDir(), "web-01")
	token := filepath.Join(t.TempDir(), "token")
	writeFile(t, token, server.Token(t).String())
	enroll, words := itself(t, "enroll", "--token-file", token, "--dir", dir)
	if err := enroll.Run(); err != nil {
		t.Fatalf("%v: %s", err, contents(t, words))
	}
	renew, words := itself(t, "renew", "--dir", dir, "--every", "1s", "--quiet")
	must(t, renew.Start())
	t.Cleanup(func() { _ = renew.Process.Kill() })
	awaitTrue(t, "the second renewal", func() bool { issued, _ := server.Seen(); return issued >= 3 })
	server.Between(func() {
		server.Refuse = func(string) error {
			return &enrollapi.Error{Code: enrollapi.Internal, Message: "the CA says no"}
		}
	})
	awaitTrue(t, "the failure", func() bool { return strings.Contains(contents(t, words), "kedge: error: web-01: ") })
	if err := renew.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("it has ended: %v", err)
	}
	if err := renew.Wait(); err != nil {
		t.Errorf("%v: %s", err, contents(t, words))
	}
	checkPair(t, dir)
}

// TestRenew_everyNone: without a host that is enrolled it waits for one, and prints that once.
func TestRenew_everyNone(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	renew, words := itself(t, "renew", "--all", "--every", "1s")
	renew.Env = append(os.Environ(), "KEDGE_STATE_DIR="+state)
	must(t, renew.Start())
	t.Cleanup(func() { _ = renew.Process.Kill() })
	awaitTrue(t, "the words", func() bool { return strings.Contains(contents(t, words), " is enrolled in "+state) })
	time.Sleep(1500 * time.Millisecond) // the second turn
	must(t, renew.Process.Signal(syscall.SIGTERM))
	must(t, renew.Wait())
	if text := contents(t, words); strings.Count(text, "kedge: done: no host is enrolled in ") != 1 || !strings.HasSuffix(text, " yet\n") {
		t.Errorf("%q", text)
	}
}

// TestRenew_interrupted: an interruption of --all leaves out no error of those before.
func TestRenew_interrupted(t *testing.T) {
	t.Parallel()
	server := enrolltest.New(t)
	folder := t.TempDir()
	dir, token := filepath.Join(folder, "web-01"), filepath.Join(folder, "token")
	writeFile(t, token, server.Token(t).String())
	enroll, words := itself(t, "enroll", "--token-file", token, "--dir", dir)
	if err := enroll.Run(); err != nil {
		t.Fatalf("%v: %s", err, contents(t, words))
	}
	var o *renewOptions
	var said bytes.Buffer
	cmd := newRenew(newHost(cli.Streams{Out: io.Discard, Err: &said}), func(_ context.Context, parsed *renewOptions) error {
		o = parsed
		return nil
	})
	cmd.SetArgs([]string{"--all", "--force"})
	must(t, cmd.ExecuteContext(t.Context()))
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	err := o.renewAll(ctx, []string{filepath.Join(folder, "none"), dir, dir})
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(said.String(), "kedge: error: none: no host is enrolled in ") || strings.Count(said.String(), "kedge: error: ") != 1 {
		t.Errorf("%v, after\n%s", err, &said)
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}
