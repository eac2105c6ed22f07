//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSIGTERMIsNotHandled: the official helper died of it. The updater ends with 0 and leaves a
// whole file, and nothing besides it and its lock.
func TestSIGTERMIsNotHandled(t *testing.T) {
	t.Parallel()
	root, dir := newAuthority(t), t.TempDir()
	e, url := emulate(t, root.Certificate())
	issue(t, root, dir, "leaf", time.Now())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "aws", "credentials")
	cmd := exec.Command(self)
	cmd.Args = []string{
		"kedge", "update", "--file", path, "--profile", "backup", "--endpoint", url,
		"--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(),
		"--certificate", filepath.Join(dir, "leaf.pem"), "--private-key", filepath.Join(dir, "leaf.key"),
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && bytes.HasPrefix(data, []byte("[backup]\naws_access_key_id = ASIA")) {
			break
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			cmd.Wait()
			t.Fatalf("no credentials after a minute: %s", &stderr)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || stdout.Len() != 0 {
		t.Errorf("%v, stdout %q, stderr %s", err, &stdout, &stderr)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
}
