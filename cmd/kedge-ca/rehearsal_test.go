package main

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/awsaccount"
	"kedge/internal/cli"
	"kedge/internal/emulator"
	"kedge/signer"
	"kedge/signer/session"
)

// rehearsal is a CA in a folder, the service that has its trust anchor, and the hosts, all by
// one clock.
type rehearsal struct {
	t       *testing.T
	dir     string // holds the folder of the CA, "ca", and those of hosts
	now     time.Time
	service *emulator.Emulator
	url     string
	confirm func(string) (bool, error) // nil: there is no terminal
	account func(*awsaccount.Config)   // nil: that of the environment
}

func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return &rehearsal{t: t, dir: dir, now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)}
}

func (x *rehearsal) path(name string) string { return filepath.Join(x.dir, name) }

// try runs the program on the folder "ca", unless the arguments name another.
func (x *rehearsal) try(args ...string) (code int, stdout, stderr string) {
	x.t.Helper()
	var out, words bytes.Buffer
	h := newHost(cli.Streams{In: strings.NewReader(""), Out: &out, Err: &words})
	h.anyClock = true
	h.inputs.Now = func() time.Time { return x.now }
	h.inputs.Ask = nil
	h.account = x.account
	if h.confirm = x.confirm; h.confirm == nil {
		h.confirm = func(string) (bool, error) { return false, cli.ErrNoTerminal }
	}
	if !strings.Contains(strings.Join(args, " "), "--dir ") {
		args = append(args, "--dir", x.path("ca"))
	}
	code = cli.Main(x.t.Context(), cli.Program{Name: name, Root: newRoot(h, args), Advise: advise}, args, h.Streams)
	return code, out.String(), words.String()
}

func (x *rehearsal) run(args ...string) (stdout string) {
	x.t.Helper()
	code, stdout, stderr := x.try(args...)
	if code != cli.ExitDone {
		x.t.Fatalf("kedge-ca %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// refuses wants a command to fail with a text and to leave standard output empty.
func (x *rehearsal) refuses(text string, args ...string) {
	x.t.Helper()
	code, stdout, stderr := x.try(args...)
	if code == cli.ExitDone || stdout != "" || !strings.Contains(stderr, text) {
		x.t.Errorf("kedge-ca %s: exit %d, stdout %q\n%swant %s", strings.Join(args, " "), code, stdout, stderr, text)
	}
}

// fails wants a command to end with a code and some words, and to leave standard output empty.
func (x *rehearsal) fails(code int, words []string, args ...string) {
	x.t.Helper()
	wantFailure(x.t, x.try, code, words, args)
}

func wantFailure(t *testing.T, try func(...string) (int, string, string), code int, words, args []string) {
	t.Helper()
	got, stdout, stderr := try(args...)
	for _, text := range words {
		if !strings.Contains(stderr, text) {
			t.Errorf("kedge-ca %s:\n%swant %s", strings.Join(args, " "), stderr, text)
		}
	}
	if got != code || stdout != "" {
		t.Errorf("kedge-ca %s: exit %d, stdout %q\n%s", strings.Join(args, " "), got, stdout, stderr)
	}
}

// register updates the trust anchor, or makes it, with the bundle and some revocation lists.
func (x *rehearsal) register(crls ...string) {
	x.t.Helper()
	x.registerAs(emulator.TrustAnchor{Certificates: []byte(x.run("bundle"))}, crls...)
}

func (x *rehearsal) registerAs(anchor emulator.TrustAnchor, crls ...string) {
	x.t.Helper()
	for _, file := range crls {
		data, err := os.ReadFile(x.path(file))
		if err != nil {
			x.t.Fatal(err)
		}
		anchor.CRLs = append(anchor.CRLs, data)
	}
	var err error
	if x.service == nil {
		x.service, err = emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{anchor}, Now: func() time.Time { return x.now }})
		if err != nil {
			x.t.Fatal(err)
		}
		server := httptest.NewServer(x.service.Handler())
		x.t.Cleanup(server.Close)
		x.url = server.URL
		return
	}
	anchor.ARN = x.service.TrustAnchorARN()
	if _, err := x.service.AddTrustAnchor(anchor); err != nil {
		x.t.Fatal(err)
	}
}

// session asks the service for credentials with the files of a host.
func (x *rehearsal) session(folder, name string) error {
	x.t.Helper()
	now := func() time.Time { return x.now }
	base := filepath.Join(x.dir, folder, name)
	source, err := signer.NewFileSource(signer.Files{
		Certificate: signer.File(base + ".pem"), PrivateKey: signer.File(base + ".key"), Intermediates: signer.File(base + ".chain.pem"), Now: now,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	client, err := session.New(session.Config{
		TrustAnchorARN: x.service.TrustAnchorARN(), ProfileARN: x.service.ProfileARN(), RoleARN: x.service.RoleARN(),
		Endpoint: x.url, MaxAttempts: 1, Now: now,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	_, err = client.CreateSession(x.t.Context(), source)
	return err
}

// accepted wants the service to take hosts.
func (x *rehearsal) accepted(step, folder string, names ...string) {
	x.t.Helper()
	for _, name := range names {
		if err := x.session(folder, name); err != nil {
			x.t.Errorf("%s: %s/%s: %v", step, folder, name, err)
		}
	}
}

// refused wants the service to refuse hosts, in these words.
func (x *rehearsal) refused(step, words, folder string, names ...string) {
	x.t.Helper()
	for _, name := range names {
		err := x.session(folder, name)
		if answer, ok := errors.AsType[*session.APIError](err); !ok || answer.Message != words {
			x.t.Errorf("%s: %s/%s: %v, want %q", step, folder, name, err, words)
		}
	}
}

// mkdir makes a folder for the files of hosts.
func (x *rehearsal) mkdir(name string) string {
	x.t.Helper()
	if err := os.MkdirAll(x.path(name), 0o700); err != nil {
		x.t.Fatal(err)
	}
	return x.path(name)
}

// copyFolder copies the files of a folder, to go back to later.
func (x *rehearsal) copyFolder(from, to string) {
	x.t.Helper()
	if err := os.CopyFS(x.path(to), os.DirFS(x.path(from))); err != nil {
		x.t.Fatal(err)
	}
}
