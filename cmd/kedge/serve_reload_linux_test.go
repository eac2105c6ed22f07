package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"kedge/internal/testenv"
)

// TestServe_reloadHangs: roles whose files do not come delay neither each other nor the end.
func TestServe_reloadHangs(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	config := "defaults:\n  private-key: leaf.key\n  max-attempts: 1\n  endpoint: " + w.endpoint + "\n  trust-anchor-arn: " +
		w.emulator.TrustAnchorARN() + "\n  profile-arn: " + w.emulator.ProfileARN() + "\n  role-arn: " + w.emulator.RoleARN() + "\nprofiles:\n"
	writeFile(t, w.path("config.yaml"), config+"  one:\n    certificate: leaf.pem\n")
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	var pipes []*os.File
	for _, name := range []string{"a", "b"} {
		r, in, err := os.Pipe()
		must(t, err)
		t.Cleanup(func() { r.Close(); in.Close() })
		cmd.ExtraFiles = append(cmd.ExtraFiles, r)
		config += fmt.Sprintf("  %s:\n    certificate: /dev/fd/%d\n", name, 2+len(cmd.ExtraFiles))
		pipes = append(pipes, in)
	}
	s := w.startWith(cmd, slices.Clone, "--config", w.path("config.yaml"), "--token-file", w.path("token"))
	before := s.wantCredentials(t)
	writeFile(t, w.path("config.yaml"), config)
	s.hangup(t)
	for _, pipe := range pipes {
		testenv.AwaitRead(t, pipe)
	}
	s.hangup(t)
	if got := s.wantCredentials(t); got != before {
		t.Errorf("other credentials: %s", got)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
