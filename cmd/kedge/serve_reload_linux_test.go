//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestServe_reloadHangs: roles whose files do not come delay neither each other nor the end.
func TestServe_reloadHangs(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	config := "defaults:\n  private-key: leaf.key\n  max-attempts: 1\n  endpoint: " + w.endpoint + "\n  trust-anchor-arn: " +
		w.emulator.TrustAnchorARN() + "\n  profile-arn: " + w.emulator.ProfileARN() + "\n  role-arn: " + w.emulator.RoleARN() + "\nprofiles:\n"
	writeFile(t, w.path("config.yaml"), config+"  one:\n    certificate: leaf.pem\n")
	s := w.start("--config", w.path("config.yaml"), "--token-file", w.path("token"))
	before := s.wantCredentials(t)
	for _, name := range []string{"a", "b"} {
		if err := syscall.Mkfifo(w.path(name), 0o600); err != nil {
			t.Skip(err)
		}
		config += "  " + name + ":\n    certificate: " + name + "\n"
	}
	writeFile(t, w.path("config.yaml"), config)
	s.hangup(t)
	awaitReader(t, w.path("a"))
	awaitReader(t, w.path("b"))
	s.hangup(t)
	if got := s.wantCredentials(t); got != before {
		t.Errorf("other credentials: %s", got)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// awaitReader waits until a pipe is being read, and writes nothing.
func awaitReader(t *testing.T, pipe string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { f.Close() })
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
