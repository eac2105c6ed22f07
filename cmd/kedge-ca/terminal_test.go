package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// TestInterrupt_prompts: Ctrl-C at a question, and at one for a password, ends with 130 and a
// message, and changes nothing; the terminal's echo is restored.
func TestInterrupt_prompts(t *testing.T) {
	t.Parallel()
	tmux, dir := testenv.Tool(t, "tmux"), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "tmux") // the name of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	if err := os.Symlink(self, filepath.Join(short, "kedge-ca")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "init", "--dir", filepath.Join(dir, "ca"), "--no-password")
	for _, name := range []string{"web-01", "web-02"} {
		mustRun(t, "issue", name, "--dir", filepath.Join(dir, "ca"), "--out", dir)
	}
	ask := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(tmux, append([]string{"-S", filepath.Join(short, "s")}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	ask("-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "60", "-c", dir,
		"env PATH="+short+":/usr/bin:/bin PS1='code=$? ' ENV= sh")
	t.Cleanup(func() { _ = exec.Command(tmux, "-S", filepath.Join(short, "s"), "kill-server").Run() }) // it may have ended
	wait := func(text string) {
		t.Helper()
		deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
		defer tick.Stop()
		for !strings.Contains(ask("capture-pane", "-p"), text) {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("no %q on the screen:\n%s", text, ask("capture-pane", "-p"))
			}
		}
	}
	for i, tt := range []struct{ command, prompt string }{
		{"kedge-ca revoke web-01 web-02", "[y/N]"},
		{"kedge-ca init --dir other", "assword"},
	} {
		ask("send-keys", "-l", fmt.Sprintf("clear; %s; echo end%d=$?", tt.command, i))
		ask("send-keys", "Enter")
		wait(tt.prompt)
		ask("send-keys", "C-c")
		wait("interrupted at the prompt")
		wait(fmt.Sprintf("end%d=130", i))
	}
	if out := runOK(t, "list", "--dir", filepath.Join(dir, "ca"), "--state", "revoked", "--json"); strings.Contains(out, "web-0") {
		t.Errorf("revoked: %s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); !os.IsNotExist(err) {
		t.Errorf("the other CA: %v", err)
	}
}
