package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/doctor"
	"kedge/internal/emulator"
	"kedge/internal/enrollclient/enrolltest"
)

// site is a host with all that it needs for credentials: a CA, a certificate with its key, a configuration, and
// an emulator that trusts the CA. Tests break one thing of it.
type site struct {
	t        *testing.T
	dir      string
	ca       *enrolltest.Authority
	key      crypto.Signer // of the host
	emulator *emulator.Emulator
	profile  map[string]string // settings of the profile "web"
	more     string            // of the configuration
	args     []string          // of doctor, besides
	env      config.Environment
	now      func() time.Time
	stdin    string
	limits   doctor.Limits      // zero: the defaults
	bare     bool               // nothing names the configuration
	server   *enrolltest.Server // of an enrolled host
}

// newSite makes one that is sound.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), now: time.Now, env: config.Environment{"HOME=" + t.TempDir(), "KEDGE_STATE_DIR=" + t.TempDir()}}
	s.ca, s.key = enrolltest.NewAuthority(t, "Site CA", nil), enrolltest.NewKey(t)
	var endpoint string
	s.emulator, endpoint = emulate(t, s.ca.Certificate)
	s.issue(enrolltest.Unchanged)
	s.profile = map[string]string{
		"certificate": "web.pem", "private-key": "web.key", "endpoint": endpoint, "max-attempts": "1",
		"trust-anchor-arn": s.emulator.TrustAnchorARN(), "profile-arn": s.emulator.ProfileARN(), "role-arn": s.emulator.RoleARN(),
	}
	return s
}

// issue writes the host's key and a certificate for it.
func (s *site) issue(change func(template *x509.Certificate)) *x509.Certificate {
	s.t.Helper()
	return s.issueBy(s.ca, change)
}

func (s *site) issueBy(ca *enrolltest.Authority, change func(template *x509.Certificate)) *x509.Certificate {
	s.t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "web-01"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	change(template)
	certificate := ca.Issue(s.t, template, s.key.Public())
	s.write("web.pem", string(pemOf("CERTIFICATE", certificate.Raw)))
	s.writeKey("web.key", s.key)
	return certificate
}

func (s *site) writeKey(name string, key crypto.Signer) {
	s.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(s.t, err)
	s.write(name, string(pemOf("PRIVATE KEY", der)))
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, content string) {
	s.t.Helper()
	writeFile(s.t, s.path(name), content)
}

// configure writes the configuration, unless a test did.
func (s *site) configure() {
	s.t.Helper()
	if _, err := os.Stat(s.path("config.yaml")); err == nil {
		return
	}
	var b strings.Builder
	b.WriteString("profiles:\n  web:\n")
	for name, value := range s.profile {
		if value != "" {
			fmt.Fprintf(&b, "    %s: %s\n", name, value)
		}
	}
	s.write("config.yaml", b.String()+s.more)
}

// run runs kedge doctor, and returns the report, standard error and the exit code.
func (s *site) run() (*doctor.Report, string, int) {
	s.t.Helper()
	s.configure()
	args := []string{"doctor", "--json"}
	if !s.bare {
		args = append(args, "--config", s.path("config.yaml"), "--profile", "web", "--cache", s.path("cache"))
	}
	args = append(args, s.args...)
	var stdout, stderr bytes.Buffer
	h := newHost(cli.Streams{In: strings.NewReader(s.stdin), Out: &stdout, Err: &stderr})
	h.environment = s.env
	h.inputs.Now, h.inputs.Ask = s.now, nil
	root := &cobra.Command{Use: name}
	root.PersistentFlags().Bool("quiet", false, "say nothing but errors") // as that of newRoot
	root.AddCommand(newDoctor(h, func(ctx context.Context, o *doctorOptions) error {
		o.limits = s.limits
		return runDoctor(ctx, o)
	}))
	code := cli.Main(s.t.Context(), cli.Program{Name: name, Root: root, Advise: advise}, args, h.Streams)
	var report doctor.Report
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		s.t.Fatalf("%v in %q, %s", err, &stdout, &stderr)
	}
	if code != report.Code {
		s.t.Errorf("exit code %d, the report has %d", code, report.Code)
	}
	return &report, stderr.String(), code
}

// result returns that of one check.
func (s *site) result(r *doctor.Report, id string) doctor.Result {
	s.t.Helper()
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	s.t.Fatalf("no check %s", id)
	return doctor.Result{}
}

// state is the folder for the identities of this user.
func (s *site) state() string {
	dir, _ := s.env.Lookup("KEDGE_STATE_DIR")
	return dir
}

// command is this program as a process of its own, without arguments.
func (s *site) command() *exec.Cmd {
	s.t.Helper()
	self, err := os.Executable()
	must(s.t, err, os.MkdirAll(s.path("bin"), 0o700))
	program := filepath.Join(s.path("bin"), "kedge")
	if _, err := os.Lstat(program); err != nil {
		must(s.t, os.Symlink(self, program))
	}
	c := exec.Command(program)
	c.Dir, c.Env = s.dir, append([]string{"PATH=" + s.path("bin") + ":" + os.Getenv("PATH")}, s.env...)
	return c
}

// paste runs a command as a person would: kedge is this program, sudo and the clock's program are stand-ins.
func (s *site) paste(command string) {
	s.t.Helper()
	c := s.command()
	for stub, script := range map[string]string{
		"sudo": `exec "$@"`, "timedatectl": "touch '" + s.path("clock-set") + "'",
	} {
		must(s.t, os.WriteFile(filepath.Join(s.path("bin"), stub), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	}
	c.Path, c.Args = "/bin/sh", []string{"sh", "-c", command}
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", command, err, out)
	}
}
