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

// terminal is a bash in tmux, as a person has it. Its prompt has the last exit code, as in "code=0>".
type terminal struct {
	t            *testing.T
	tmux, socket string
	dir          string
}

// newTerminal starts one in a folder with a certificate, and with the command kx: "kedge exec"
// with all that it needs, against an emulator.
func newTerminal(t *testing.T) *terminal {
	t.Helper()
	tm := &terminal{t: t, tmux: testenv.Tool(t, "tmux"), dir: t.TempDir()}
	root := newAuthority(t)
	e, url := emulate(t, root.Certificate())
	issue(t, root, tm.dir, "leaf", time.Now())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(tm.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "kedge")); err != nil {
		t.Fatal(err)
	}
	tm.write("bin/kx", fmt.Sprintf("#!/bin/sh\nexec kedge exec --endpoint %s --trust-anchor-arn %s --profile-arn %s --role-arn %s --certificate leaf.pem --private-key leaf.key \"$@\"\n",
		url, e.TrustAnchorARN(), e.ProfileARN(), e.RoleARN()))
	tm.write("rc", "PS1='code=$?> '\nunset PROMPT_COMMAND HISTFILE\n")
	tm.start(bin)
	return tm
}

func (tm *terminal) start(bin string) {
	tm.t.Helper()
	short, err := os.MkdirTemp("", "tmux") // the name of a socket is short
	if err != nil {
		tm.t.Fatal(err)
	}
	tm.t.Cleanup(func() { os.RemoveAll(short) })
	tm.socket = filepath.Join(short, "s")
	cmd := exec.Command(tm.tmux, "-S", tm.socket, "-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "60", "bash --rcfile rc -i")
	cmd.Dir = tm.dir
	cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + tm.dir, "LC_ALL=C.UTF-8", "TERM=xterm", "SHELL=/bin/bash"}
	if out, err := cmd.CombinedOutput(); err != nil {
		tm.t.Fatalf("tmux: %v: %s", err, out)
	}
	tm.t.Cleanup(func() { _ = exec.Command(tm.tmux, "-S", tm.socket, "kill-server").Run() }) // it may have ended
	tm.wait("code=0> ")
}

// write makes a program in the terminal's folder.
func (tm *terminal) write(name, text string) {
	tm.t.Helper()
	if err := os.WriteFile(filepath.Join(tm.dir, name), []byte(text), 0o755); err != nil {
		tm.t.Fatal(err)
	}
}

// run types a command, and Enter once it is on the screen: nothing that was there before it is taken
// for its answer.
func (tm *terminal) run(command string) {
	tm.t.Helper()
	tm.keys("-l", command)
	tm.wait(command)
	tm.keys("Enter")
}

// keys sends keys by their names in tmux, such as C-c.
func (tm *terminal) keys(keys ...string) {
	tm.t.Helper()
	tm.ask(append([]string{"send-keys"}, keys...)...)
}

// wait waits until the screen ends with the text, and returns the screen.
func (tm *terminal) wait(text string) string {
	tm.t.Helper()
	screen := ""
	tm.until(func() bool {
		screen = strings.TrimSpace(tm.ask("capture-pane", "-p"))
		return strings.HasSuffix(screen, strings.TrimSpace(text))
	}, func() string { return fmt.Sprintf("no %q at the end of the screen:\n%s", text, screen) })
	return screen
}

// waitStopped waits until the process is stopped whose id is in the file. The shell has a prompt as
// soon as the job's first process is; on a busy machine another may not have run since Ctrl-Z, and
// then it would read, when it does, what was typed for the shell.
func (tm *terminal) waitStopped(file string) {
	tm.t.Helper()
	pid, err := os.ReadFile(filepath.Join(tm.dir, file))
	if err != nil {
		tm.t.Fatal(err)
	}
	state := ""
	tm.until(func() bool {
		out, err := exec.Command(testenv.Tool(tm.t, "ps"), "-o", "stat=", "-p", strings.TrimSpace(string(pid))).Output()
		if err != nil {
			tm.t.Fatal(err)
		}
		state = string(out)
		return strings.HasPrefix(state, "T")
	}, func() string { return fmt.Sprintf("it is not stopped, its state is %q", state) })
}

func (tm *terminal) until(done func() bool, problem func() string) {
	tm.t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			tm.t.Fatal(problem())
		}
	}
}

func (tm *terminal) ask(command ...string) string {
	tm.t.Helper()
	out, err := exec.Command(tm.tmux, append([]string{"-S", tm.socket}, command...)...).CombinedOutput()
	if err != nil {
		tm.t.Fatalf("tmux: %v: %s", err, out)
	}
	return string(out)
}

// ways are those in which exec runs a command.
func ways(t *testing.T, test func(t *testing.T, tm *terminal, kx string)) {
	for _, kx := range []string{"kx", "kx --server"} {
		t.Run(kx, func(t *testing.T) {
			t.Parallel()
			test(t, newTerminal(t), kx)
		})
	}
}
