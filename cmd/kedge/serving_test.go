package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/ca"
	"kedge/internal/emulator"
)

// serving is a "kedge serve" that runs as a process of its own.
type serving struct {
	cmd     *exec.Cmd
	exports map[string]string // what it printed
	stdout  sharedBuffer
	log     *sharedBuffer
	ended   chan error
}

// startServing runs it and waits until it has printed what to export. It listens on a free port
// unless args say otherwise.
func startServing(cmd *exec.Cmd, args ...string) (*serving, error) {
	return startAs(cmd, slices.Concat([]string{"kedge", "serve", "--port", "0"}, args))
}

func startAs(cmd *exec.Cmd, args []string) (*serving, error) {
	cmd.Args = args
	s := &serving{cmd: cmd, exports: map[string]string{}, log: &sharedBuffer{}, ended: make(chan error, 1)}
	cmd.Stderr = s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	first := make(chan string, 100)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(&s.stdout, lines.Text())
			first <- lines.Text()
		}
		close(first)
		s.ended <- cmd.Wait()
	}()
	want := 1
	if slices.Contains(args, "--token-file") {
		want = 3 // lines
	}
	environment := map[string]string{}
	for _, variable := range cmd.Env {
		name, value, _ := strings.Cut(variable, "=")
		environment[name] = value
	}
	if environment["http_proxy"] != "" {
		want++ // NO_PROXY
		if _, small := environment["no_proxy"]; small {
			want++
		}
	}
	for line := range first {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		s.exports[name] = value
		if len(s.exports) == want {
			return s, nil
		}
	}
	return nil, fmt.Errorf("it ended: %w\n%s", <-s.ended, s.log)
}

// stop ends it as systemd does, and returns how it ended.
func (s *serving) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-s.ended
}

// workplace is a CA, an emulator that trusts it, and a certificate for the flags.
type workplace struct {
	t         *testing.T
	dir       string
	authority *ca.Authority
	emulator  *emulator.Emulator
	endpoint  string
}

// emulate starts an emulator that trusts this CA, and returns its address, too.
func emulate(t *testing.T, root *x509.Certificate) (_ *emulator.Emulator, url string) {
	t.Helper()
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pemOf("CERTIFICATE", root.Raw)}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	return e, server.URL
}

func newWorkplace(t *testing.T) *workplace {
	t.Helper()
	w := &workplace{t: t, dir: t.TempDir(), authority: newAuthority(t)}
	w.emulator, w.endpoint = emulate(t, w.authority.Certificate())
	issue(t, w.authority, w.dir, "leaf", time.Now())
	return w
}

func (w *workplace) path(name string) string { return filepath.Join(w.dir, name) }

func (w *workplace) fault(text string) {
	w.t.Helper()
	f, err := emulator.ParseFault(text)
	if err == nil {
		err = w.emulator.Inject(f)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// noFaults ends those that were to come.
func (w *workplace) noFaults() {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodDelete, w.endpoint+"/_emulator/faults", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode >= 300 {
		w.t.Fatal(response.Status)
	}
}

// flags are those of the workplace.
func (w *workplace) flags() []string {
	return []string{
		"--certificate", w.path("leaf.pem"), "--private-key", w.path("leaf.key"), "--endpoint", w.endpoint, "--max-attempts", "1",
		"--trust-anchor-arn", w.emulator.TrustAnchorARN(), "--profile-arn", w.emulator.ProfileARN(), "--role-arn", w.emulator.RoleARN(),
		"--token-file", w.path("token"),
	}
}

// serve starts kedge serve with the flags of the workplace, and more.
func (w *workplace) serve(args ...string) *serving {
	w.t.Helper()
	return w.start(slices.Concat(w.flags(), args)...)
}

// start starts kedge serve with these flags.
func (w *workplace) start(args ...string) *serving {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.startWith(exec.Command(self), slices.Clone, args...)
}

// startWith starts it by another command, whose arguments wrap makes of kedge's.
func (w *workplace) startWith(cmd *exec.Cmd, wrap func([]string) []string, args ...string) *serving {
	w.t.Helper()
	s, err := startAs(cmd, wrap(slices.Concat([]string{"kedge", "serve", "--port", "0"}, args)))
	if err != nil {
		w.t.Fatal(err)
	}
	stop := sync.OnceValue(s.stop)
	w.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = stop() // its test has checked how it ends, or need not
		}
		if w.t.Failed() {
			w.t.Logf("log:\n%s", s.log)
		}
	})
	return s
}

// waitFor waits until the log has a text so many times.
func (s *serving) waitFor(t *testing.T, text string, times int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); strings.Count(s.log.String(), text) < times; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in the log:\n%s", text, s.log)
		}
	}
}

type sharedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// taken-port VARIABLE: another program listens on the loopback port that the variable names.
func takePort(ts *testscript.TestScript, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// serves ARG...: kedge serve with what the emulator of the script needs starts, gets credentials, and
// ends with SIGTERM. Then its standard output and log are those of the script.
func serves(ts *testscript.TestScript, args []string) {
	servesConfig(ts, slices.Concat([]string{
		"--endpoint", ts.Getenv("ENDPOINT"), "--trust-anchor-arn", ts.Getenv("TRUST_ANCHOR"), "--profile-arn", ts.Getenv("PROFILE"),
		"--role-arn", ts.Getenv("ROLE"), "--certificate", "leaf.pem", "--private-key", "leaf.key",
	}, args))
}

// serves-config ARG...: the same, with nothing but the arguments.
func servesConfig(ts *testscript.TestScript, args []string) {
	self, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(self)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+ts.Getenv("XDG_RUNTIME_DIR"), "RUNTIME_DIRECTORY=")
	for _, name := range []string{"http_proxy", "NO_PROXY", "no_proxy"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	s, err := startServing(cmd, args...)
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.log.String(), "credentials renewed"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("no credentials:\n%s", s.log)
		}
	}
	ts.Check(s.stop())
	fmt.Fprint(ts.Stdout(), s.stdout.String())
	fmt.Fprint(ts.Stderr(), s.log.String())
}
