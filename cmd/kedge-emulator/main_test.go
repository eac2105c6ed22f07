package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kedge-emulator": func() {
			os.Exit(run(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

// TestScripts are the cases that end by themselves.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			if err := os.WriteFile(filepath.Join(e.WorkDir, "ca.pem"), certificate(t, true), 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "leaf.pem"), certificate(t, false), 0o644)
		},
	})
}

func certificate(t *testing.T, isCA bool) []byte {
	t.Helper()
	cert, _ := issue(t, isCA)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// issue makes a self-signed certificate.
func issue(t *testing.T, isCA bool) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: isCA, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if !isCA {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// running is an emulator that was started with some flags.
type running struct {
	env    map[string]string
	stderr *bytes.Buffer // read it after stop
	stop   func() int
}

// start runs the program and waits for the environment it prints.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	r := &running{env: map[string]string{}, stderr: new(bytes.Buffer)}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, args, cli.Streams{Out: writer, Err: r.stderr})
		writer.Close()
	}()
	r.stop = func() int {
		cancel()
		c := <-code
		code <- c
		return c
	}
	t.Cleanup(func() { r.stop() })
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if !ok {
			t.Fatalf("line %q", lines.Text())
		}
		r.env[name] = strings.Trim(value, "'")
		if name == "AWS_DEFAULT_REGION" {
			go io.Copy(io.Discard, reader)
			return r
		}
	}
	t.Fatalf("exit %d before it was ready: %s", r.stop(), r.stderr)
	return nil
}

func TestRun_untilStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("ca.pem"), certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, "--trust-anchor", path("ca.pem"), "--tls", path("tls.pem"), "--env-file", path("env"), "--pid-file", path("pid"),
		"--state", path("state"), "--region", "eu-central-1", "--fault", "status=503", "--cloudtrail", path("events.json"))
	if got, want := r.env["KEDGE_TRUST_ANCHOR_ARN"], "arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001"; got != want {
		t.Errorf("trust anchor %s, want %s", got, want)
	}
	env, err := os.ReadFile(path("env"))
	if err != nil || !strings.Contains(string(env), "export AWS_CA_BUNDLE='"+path("tls.pem")+"'\n") {
		t.Errorf("environment file: %v\n%s", err, env)
	}
	if pid, err := os.ReadFile(path("pid")); err != nil || strings.TrimSpace(string(pid)) != strconv.Itoa(os.Getpid()) {
		t.Errorf("pid file: %v: %s", err, pid)
	}
	client := tlsClient(t, path("tls.pem"))
	response, err := client.Post(r.env["KEDGE_ENDPOINT"]+"/sessions", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d, want the fault's", response.StatusCode)
	}
	if info, err := os.Stat(path("events.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file of events: %v", err)
	}
	if code := r.stop(); code != cli.ExitDone {
		t.Errorf("exit %d: %s", code, r.stderr)
	}
	for _, name := range []string{"env", "pid"} {
		if _, err := os.Stat(path(name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if !strings.Contains(r.stderr.String(), "CreateSession (fault status=503)") {
		t.Errorf("log: %s", r.stderr)
	}
}

// A second start on the same address fails, in words without the calls of package net, and leaves the files of
// the first.
func TestRun_failingSecondStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, pid := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "pid")
	if err := os.WriteFile(ca, certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, "--trust-anchor", ca, "--pid-file", pid)
	address := strings.TrimPrefix(r.env["KEDGE_ENDPOINT"], "http://")
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"--trust-anchor", ca, "--pid-file", pid, "--listen", address}, cli.Streams{Out: io.Discard, Err: &stderr}); code != cli.ExitFailed {
		t.Errorf("exit %d", code)
	}
	want := "kedge-emulator: error: cannot listen on " + address + ": " + syscall.EADDRINUSE.Error() +
		"\nkedge-emulator: hint: another program listens there, perhaps another kedge-emulator: stop it, or use --listen 127.0.0.1:0 for a free port\n"
	if stderr.String() != want {
		t.Errorf("standard error\ngot  %swant %s", &stderr, want)
	}
	if _, err := os.Stat(pid); err != nil {
		t.Error(err)
	}
}

func TestEnvironment_wildcardAddress(t *testing.T) {
	t.Parallel()
	all := &net.TCPAddr{IP: net.IPv6unspecified, Port: 80}
	for _, tt := range []struct {
		listen, want string
		addr         *net.TCPAddr
	}{
		{"0.0.0.0:80", "127.0.0.1:80", all},
		{":80", "127.0.0.1:80", all},
		{"[::]:80", "[::1]:80", all},
		{"0.0.0.0:80", "127.0.0.1:80", &net.TCPAddr{IP: net.IPv4zero, Port: 80}},
		{"192.0.2.1:80", "192.0.2.1:80", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}},
		{"[::1]:80", "[::1]:80", &net.TCPAddr{IP: net.IPv6loopback, Port: 80}},
	} {
		o := &options{listen: tt.listen}
		if got := o.reachable(tt.addr); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.listen, tt.addr, got, tt.want)
		}
	}
}

func TestRun_crlOfTwoAnchors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, key := issue(t, true)
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), NextUpdate: time.Now().Add(time.Hour)}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"ca.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}), "ca.crl": list} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	anchor, crl := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.crl")
	r := start(t, "--trust-anchor", anchor, "--trust-anchor", anchor, "--crl", crl)
	r.stop()
	if !strings.Contains(r.stderr.String(), "kedge-emulator: note: "+crl+" counts for each trust anchor of its CA: "+r.env["KEDGE_TRUST_ANCHOR_ARN"]+", arn:") {
		t.Errorf("standard error: %s", r.stderr)
	}
}

func tlsClient(t *testing.T, ca string) *http.Client {
	t.Helper()
	data, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
}

func TestRun_configFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), certificate(t, true), 0o644); err != nil {
		t.Fatal(err)
	}
	config := `{"trustAnchors":[{"arn":"arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a","certificates":"ca.pem"}],"roles":[{"arn":"arn:aws:iam::123456789012:role/path/app"}]}`
	if err := os.WriteFile(filepath.Join(dir, "emulator.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, "--config", filepath.Join(dir, "emulator.json"))
	want := map[string]string{
		"AWS_REGION": "eu-west-1", "KEDGE_ROLE_ARN": "arn:aws:iam::123456789012:role/path/app",
		"KEDGE_PROFILE_ARN": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/6b656467-6500-4000-9000-000000000001",
	}
	for name, value := range want {
		if r.env[name] != value {
			t.Errorf("%s=%s, want %s", name, r.env[name], value)
		}
	}
}

// TestRun_noTrustAnchor: the account begins without one, and clients are given no ARNs of what is made later.
func TestRun_noTrustAnchor(t *testing.T) {
	t.Parallel()
	r := start(t, "--no-trust-anchor", "--region", "eu-west-1")
	if r.env["KEDGE_ADMIN_ACCESS_KEY_ID"] == "" || r.env["AWS_REGION"] != "eu-west-1" {
		t.Errorf("%v", r.env)
	}
	for _, name := range []string{"KEDGE_TRUST_ANCHOR_ARN", "KEDGE_PROFILE_ARN", "KEDGE_ROLE_ARN"} {
		if value, ok := r.env[name]; ok {
			t.Errorf("%s=%s", name, value)
		}
	}
}
