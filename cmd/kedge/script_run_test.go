package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits CODE PROGRAM ARG...: the program ends with this code. Unless that is 0, its standard
// output must be empty.
func exits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	checkExit(ts, want, ts.Exec(args[1], args[2:]...))
}

// expand FILE...: puts the script's variables into the files, as $NAME, which are the user's alone.
func expand(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
		ts.Check(os.Chmod(ts.MkAbs(name), 0o600))
	}
}

// session CODE ARG...: "role CODE credential-process ARG...".
func exitsSession(ts *testscript.TestScript, args []string) {
	exitsRole(ts, append([]string{args[0], "credential-process"}, args[1:]...))
}

// role CODE COMMAND ARG...: "exits CODE kedge COMMAND" with what the emulator or the service of
// the script needs, and with the certificate in leaf.pem unless the arguments name one.
func exitsRole(ts *testscript.TestScript, args []string) {
	all := append([]string{args[0], "kedge", args[1]}, roleArgs(ts, args[2:])...)
	exits(ts, append(all, args[2:]...))
}

// roleArgs are the flags of a role that args do not have.
func roleArgs(ts *testscript.TestScript, args []string) []string {
	flags := []string{
		"--endpoint", ts.Getenv("ENDPOINT"), "--trust-anchor-arn", ts.Getenv("TRUST_ANCHOR"),
		"--profile-arn", ts.Getenv("PROFILE"), "--role-arn", ts.Getenv("ROLE"), "--max-attempts", "1",
	}
	if !strings.Contains(strings.Join(args, " "), "--certificate") {
		flags = append(flags, "--certificate", "leaf.pem", "--private-key", "leaf.key")
	}
	return flags
}

// as-nobody CODE PROGRAM ARG...: "exits" as a user without rights, which takes a link to the
// program that such a user can reach. Where the tests do not run as root they have no more rights
// than that anyway.
func asNobody(ts *testscript.TestScript, args []string) {
	if os.Geteuid() != 0 {
		exits(ts, args)
		return
	}
	work := ts.Getenv("WORK")
	for dir := work; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		ts.Check(os.Chmod(dir, 0o755))
	}
	self, err := os.Executable()
	ts.Check(err)
	program := filepath.Join(work, ".bin", args[1])
	ts.Check(os.MkdirAll(filepath.Dir(program), 0o755))
	ts.Check(linkFile(program, self))
	want, err := strconv.Atoi(args[0])
	ts.Check(err)

	cmd := exec.Command(program, args[2:]...)
	becomeNobody(cmd)
	runInto(ts, want, cmd)
}

// linkFile makes a file available under another name, without a copy where it can.
func linkFile(to, from string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, os.ErrExist) {
		return nil
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// no-reader CODE PROGRAM ARG...: "exits" with a standard output that nobody reads any more.
func noReader(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	r, w, err := os.Pipe()
	ts.Check(err)
	ts.Check(r.Close())
	defer w.Close()
	program, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(program)
	cmd.Args = args[1:]
	cmd.Stdout = w
	runInto(ts, want, cmd)
}

// runInto runs cmd as "exits" does.
func runInto(ts *testscript.TestScript, want int, cmd *exec.Cmd) {
	cmd.Dir = ts.MkAbs(".")
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	err := cmd.Run()
	io.Copy(ts.Stdout(), &stdout)
	io.Copy(ts.Stderr(), &stderr)
	checkExit(ts, want, err)
}

func checkExit(ts *testscript.TestScript, want int, err error) {
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	if out := ts.ReadFile("stdout"); want != 0 && out != "" {
		ts.Fatalf("it failed, but standard output has %q", out)
	}
}

// says LINE...: standard error is exactly these lines, each after "kedge: ".
func says(ts *testscript.TestScript, args []string) {
	var want strings.Builder
	for _, line := range args {
		want.WriteString("kedge: " + line + "\n")
	}
	if got := ts.ReadFile("stderr"); got != want.String() {
		ts.Fatalf("standard error is\n%swant\n%s", got, &want)
	}
}
