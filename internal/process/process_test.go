//go:build unix

package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMain is also the program that the tests run: with KEDGE_TEST_PROCESS set to run or replace
// it does that with its arguments.
func TestMain(m *testing.M) {
	way := os.Getenv("KEDGE_TEST_PROCESS")
	if way == "" {
		os.Exit(m.Run())
	}
	signal.Ignore(syscall.SIGPIPE) // as main does
	if fd, err := strconv.Atoi(os.Getenv("KEDGE_TEST_HIDE")); err == nil {
		CloseOnStart(fd)
	}
	path, err := Find(os.Args[1], os.Environ())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	c := Command{Path: path, Args: os.Args[1:], Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}}
	run := Run
	if way == "replace" {
		run = Replace
	}
	status, err := run(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	status.Die()
	os.Exit(status.Code)
}

// both runs a subtest for each way to run the command, which has no terminal.
func both(t *testing.T, test func(t *testing.T, command func(args ...string) *exec.Cmd)) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Under nohup the program would inherit an ignored SIGHUP, which no shell can trap; a signal that is
	// handled here is reset there.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	for _, way := range []string{"run", "replace"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			test(t, func(args ...string) *exec.Cmd {
				cmd := exec.CommandContext(t.Context(), self, args...)
				cmd.Env = []string{"KEDGE_TEST_PROCESS=" + way, "PATH=/usr/bin:/bin"}
				cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
				return cmd
			})
		})
	}
}

// TestEnd: this process ends as the program does.
func TestEnd(t *testing.T) {
	both(t, func(t *testing.T, command func(...string) *exec.Cmd) {
		for script, want := range map[string]string{
			"exit 0": "exit status 0", "exit 7": "exit status 7", "exit 255": "exit status 255",
			"kill -INT $$": "signal: interrupt", "kill -TERM $$": "signal: terminated", "kill -KILL $$": "signal: killed", "kill -HUP $$": "signal: hangup",
		} {
			cmd := command("sh", "-c", script)
			if out, err := cmd.CombinedOutput(); cmd.ProcessState.String() != want || len(out) > 0 {
				t.Errorf("%s: %s, want %s; %v, output %q", script, cmd.ProcessState, want, err, out)
			}
		}
	})
}

// TestEnd_notAsProgram: on other signals Go dies with a stack dump, or not at all.
func TestEnd_notAsProgram(t *testing.T) {
	both(t, func(t *testing.T, command func(...string) *exec.Cmd) {
		if strings.HasSuffix(t.Name(), "replace") {
			t.Skip("there the program is all there is")
		}
		for name, number := range map[string]syscall.Signal{"QUIT": syscall.SIGQUIT, "PIPE": syscall.SIGPIPE, "USR1": syscall.SIGUSR1} {
			cmd := command("sh", "-c", "ulimit -c 0; kill -"+name+" $$")
			out, _ := cmd.CombinedOutput() // the exit state is checked
			if code := cmd.ProcessState.ExitCode(); code != 128+int(number) || len(out) > 0 {
				t.Errorf("%s: %s, output %q", name, cmd.ProcessState, out)
			}
		}
	})
}

// TestSignals: each signal to this process reaches the program, once.
func TestSignals(t *testing.T) {
	both(t, func(t *testing.T, command func(...string) *exec.Cmd) {
		for name, number := range map[string]syscall.Signal{
			"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT,
			"USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "WINCH": syscall.SIGWINCH,
		} {
			cmd := command("sh", "-c", `trap 'echo caught' `+name+`; echo ready; read -r x; read -r x; exit 5`)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			lines.Scan()
			if err := cmd.Process.Signal(number); err != nil {
				t.Fatal(err)
			}
			lines.Scan()
			caught := lines.Text()
			in.Close()
			more := lines.Scan()
			_ = cmd.Wait() // the exit code is checked
			if caught != "caught" || more || cmd.ProcessState.ExitCode() != 5 {
				t.Errorf("%s: %q, more: %t, %s", name, caught, more, cmd.ProcessState)
			}
		}
	})
}

// TestLeaves: the program has the descriptors and signals that a shell would have given it, without
// those that are kept from it.
func TestLeaves(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip(err)
	}
	both(t, func(t *testing.T, command func(...string) *exec.Cmd) {
		for hide, want := range map[string]string{"": "0 1 2 3 4 ", "3": "0 1 2 4 "} {
			cmd := command("sh", "-c", `for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && printf '%s ' $fd; done; grep SigIgn /proc/$$/status >&2`)
			cmd.Env = append(cmd.Env, "KEDGE_TEST_HIDE="+hide)
			for range 2 {
				null, err := os.Open(os.DevNull)
				if err != nil {
					t.Fatal(err)
				}
				defer null.Close()
				cmd.ExtraFiles = append(cmd.ExtraFiles, null)
			}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || string(out) != want {
				t.Errorf("hidden %q: %v, descriptors %q, want %q", hide, err, out, want)
			}
			ignored, err := strconv.ParseUint(strings.TrimSpace(strings.TrimPrefix(stderr.String(), "SigIgn:")), 16, 64)
			if err != nil || ignored&(1<<(syscall.SIGPIPE-1)) != 0 {
				t.Errorf("ignored signals %x, %v: SIGPIPE must not be", ignored, err)
			}
		}
	})
}

// TestFind: where programs are looked for, and the codes of errors.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"a/tool": 0o755, "a/text": 0o644, "b/text": 0o755, "b/only": 0o644} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	both := "PATH=" + dir + "/a:" + dir + "/b"
	for _, tt := range []struct {
		name, path, want string
		code             int
	}{
		{"tool", both, dir + "/a/tool", 0},
		{"text", both, dir + "/b/text", 0},
		{"only", both, "", CodeNotExecutable},
		{"none", both, "", CodeNotFound},
		{"", both, "", CodeNotFound},
		{"sh", "HOME=/", "/bin/sh", 0},
		{"sh", "PATH=", "", CodeNotFound},
		{dir + "/a/tool", "PATH=", dir + "/a/tool", 0},
		{dir + "/a/text", both, "", CodeNotExecutable},
		{dir + "/a", both, "", CodeNotExecutable},
		{dir + "/a/none", both, "", CodeNotFound},
		{dir + "/a/tool/none", both, "", CodeNotExecutable},
	} {
		got, err := Find(tt.name, []string{tt.path})
		if start, ok := errors.AsType[*StartError](err); got != tt.want || (tt.code != 0) != ok || ok && (start.Code() != tt.code || start.Name != tt.name) {
			t.Errorf("%q in %s: %q, %v", tt.name, tt.path, got, err)
		}
	}
}
