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

// screen is a shell on a terminal, in a folder with a CA.
type screen struct {
	t            *testing.T
	tmux, socket string
	dir          string
}

func newScreen(t *testing.T) *screen {
	t.Helper()
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
	s := &screen{t: t, tmux: testenv.Tool(t, "tmux"), socket: filepath.Join(short, "s"), dir: t.TempDir()}
	mustRun(t, "init", "--dir", s.path("ca"), "--no-password")
	s.ask("-f", "/dev/null", "new-session", "-d", "-x", "400", "-y", "60", "-c", s.dir,
		"env PATH="+short+":/usr/bin:/bin PS1='code=$? ' ENV= sh")
	t.Cleanup(func() { _ = exec.Command(s.tmux, "-S", s.socket, "kill-server").Run() }) // it may have ended
	return s
}

func (s *screen) path(name string) string { return filepath.Join(s.dir, name) }

// ask runs a command of tmux.
func (s *screen) ask(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(s.tmux, append([]string{"-S", s.socket}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// enter types a line.
func (s *screen) enter(line string) {
	s.t.Helper()
	s.ask("send-keys", "-l", line)
	s.ask("send-keys", "Enter")
}

// wait returns the screen as soon as it has a text.
func (s *screen) wait(text string) string {
	s.t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		shown := s.ask("capture-pane", "-p", "-J")
		if strings.Contains(shown, text) {
			return shown
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("no %q on the screen:\n%s", text, shown)
		}
	}
}

// TestInterrupt_prompts: Ctrl-C at a question, and at one for a password, ends with 130 and a
// message, and changes nothing; the terminal's echo is restored.
func TestInterrupt_prompts(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	for _, name := range []string{"web-01", "web-02"} {
		mustRun(t, "issue", name, "--dir", s.path("ca"), "--out", s.dir)
	}
	for i, tt := range []struct{ command, prompt string }{
		{"kedge-ca revoke web-01 web-02", "[y/N]"},
		{"kedge-ca init --dir other", "assword"},
	} {
		s.enter(fmt.Sprintf("clear; %s; echo end%d=$?", tt.command, i))
		s.wait(tt.prompt)
		s.ask("send-keys", "C-c")
		s.wait("interrupted at the prompt")
		s.wait(fmt.Sprintf("end%d=130", i))
	}
	if out := runOK(t, "list", "--dir", s.path("ca"), "--state", "revoked", "--json"); strings.Contains(out, "web-0") {
		t.Errorf("revoked: %s", out)
	}
	if _, err := os.Stat(s.path("other")); !os.IsNotExist(err) {
		t.Errorf("the other CA: %v", err)
	}
}

// TestToken_terminal: on a terminal the line to run on the host has the token, if that is for one
// host; one that several use is not to be in a list of processes.
func TestToken_terminal(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	if err := os.WriteFile(s.path("ca/kedge-ca.yaml"), []byte("server: {url: https://ca.example.com}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct{ command, want string }{
		{"kedge-ca token web-01", "run on the host: kedge enroll kedge1_"},
		{"kedge-ca token web-02 web-03", "run on the host: kedge enroll --token-file FILE"},
		{"kedge-ca token 'web-*' --uses 2 --ttl 1h", "run on the host: kedge enroll --token-file FILE"},
		{"kedge-ca token web-04 2>log; cat log", "run on the host: kedge enroll --token-file FILE"},
		{"kedge-ca token web-05 >file", "run on the host: kedge enroll --token-file FILE"},
		{"kedge-ca token web-06 --json >file; tail -n 1 file", "}"},
	} {
		s.enter(fmt.Sprintf("clear; %s; echo end%d=$?", tt.command, i))
		if shown := s.wait(fmt.Sprintf("\nend%d=0", i)); !strings.Contains(shown, tt.want) || i > 0 && strings.Contains(shown, "enroll kedge1_") {
			t.Errorf("%s:\n%s", tt.command, shown)
		}
	}
}
