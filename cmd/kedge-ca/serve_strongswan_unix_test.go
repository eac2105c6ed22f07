//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// pki starts pki of strongSwan, whose standard output goes to the file out.
func (d *devices) pki(out string, args ...string) error {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(d.t.Context(), testenv.Tool(d.t, "pki"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = d.work, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pki %s: %w: %s", args[0], err, &stderr)
	}
	return os.WriteFile(filepath.Join(d.work, out), stdout.Bytes(), 0o600)
}

// enrolls has pki get a certificate for the request NAME.der, into NAME.pem.
func (d *devices) enrolls(name string, args ...string) error {
	d.t.Helper()
	return d.pki(name+".pem", append([]string{"--est", "--url", d.url, "--in", name + ".der", "--cacert", "ca.pem", "--outform", "pem"}, args...)...)
}

// pkiRequest makes a key in NAME.key and a request in NAME.der.
func (d *devices) pkiRequest(name, subject string) {
	d.t.Helper()
	for _, err := range []error{
		d.pki(name+".key", "--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem"),
		d.pki(name+".der", "--req", "--type", "ecdsa", "--in", name+".key", "--dn", subject),
	} {
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// TestEST_strongSwan: pki of strongSwan gets the certificates of the CA, enrolls with a token, renews with another
// key by TLS 1.2, and is refused another name.
func TestEST_strongSwan(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "pki")
	d := serveEST(t, estSettings)
	if err := d.pki("none", "--estca", "--url", d.url, "--cacert", "ca.pem", "--caout", "roots.pem", "--outform", "pem", "--force"); err != nil {
		t.Fatal(err)
	}
	d.openssl("verify", "-CAfile", "ca.pem", "roots.pem")
	d.pkiRequest("first", "CN=dev-01")
	if err := d.enrolls("first", "--userpass", "device:"+d.token("dev-02")); err == nil {
		t.Error("a token for another name")
	}
	if err := d.enrolls("first", "--userpass", "device:"+d.token("dev-01")); err != nil {
		t.Fatal(err)
	}
	d.openssl("verify", "-CAfile", "roots.pem", "first.pem")
	d.getsCredentials("first.pem", "first.key")
	d.pkiRequest("next", "CN=dev-01")
	if err := d.enrolls("next", "--cert", "first.pem", "--key", "first.key"); err != nil {
		t.Fatal(err)
	}
	d.openssl("verify", "-CAfile", "roots.pem", "next.pem")
	d.getsCredentials("next.pem", "next.key")
	d.pkiRequest("other", "CN=dev-02")
	if err := d.enrolls("other", "--cert", "next.pem", "--key", "next.key"); err == nil {
		t.Error("another name")
	}
	s := d.serving
	s.await(s.log, "rule=names-differ")
}

// TestEST_strongSwanWaits: pki asks again and again until the operator has approved, and has one request.
func TestEST_strongSwanWaits(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "pki")
	d := serveEST(t, strings.ReplaceAll(estSettings, "default_profile: workload", "default_profile: field"))
	d.pkiRequest("first", "CN=dev-01")
	ended := make(chan error, 1)
	go func() { ended <- d.enrolls("first", "--interval", "1") }()
	d.await(d.log, "a request waits for approval")
	d.approves("dev-01")
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("pki does not end")
	}
	d.getsCredentials("first.pem", "first.key")
}
