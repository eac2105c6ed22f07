//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/cli"
)

// Two emulators with the same files: those that are there are of the second, also when the first has ended.
func TestRun_sameFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("ca.pem"), certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--trust-anchor", path("ca.pem"), "--env-file", path("env")}
	first := start(t, flags...)
	second := start(t, flags...)
	first.stop()
	got, err := os.ReadFile(path("env"))
	if err != nil || !strings.Contains(string(got), second.env["KEDGE_ENDPOINT"]+"'\n") {
		t.Errorf("%v: %s, want %s", err, got, second.env["KEDGE_ENDPOINT"])
	}
	var stderr bytes.Buffer
	taken := append(flags, "--listen", strings.TrimPrefix(second.env["KEDGE_ENDPOINT"], "http://"))
	if code := run(t.Context(), taken, cli.Streams{Out: io.Discard, Err: &stderr}); code != cli.ExitFailed {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	if after, err := os.ReadFile(path("env")); err != nil || !bytes.Equal(after, got) {
		t.Errorf("after a start that failed: %v: %s", err, after)
	}
	second.stop()
	if _, err := os.Stat(path("env")); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestTakeStale: only what an emulator has written is removed at the start.
func TestTakeStale(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stale, notes, link := filepath.Join(dir, "env"), filepath.Join(dir, "notes"), filepath.Join(dir, "link")
	environment := []byte(environmentStart + "http://127.0.0.1:1'\n")
	for path, data := range map[string][]byte{stale: environment, notes: []byte("# export KEDGE_ENDPOINT='x'\n")} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(stale, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{notes, link, dir, filepath.Join(dir, "none")} {
		if got := takeStale(path); got != nil {
			t.Errorf("%s: removed %s", path, got)
		}
	}
	if got := takeStale(stale); !bytes.Equal(got, environment) {
		t.Errorf("returned %s", got)
	}
	for path, want := range map[string]bool{stale: false, notes: true} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
