package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/hostfiles"
	"kedge/internal/testenv"
)

// TestIssueFrom_killed: a list whose run is killed again and again, on either engine, ends
// with exactly one certificate for each host, in the ledger and in its file.
func TestIssueFrom_killed(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); issueAndKill(t, "ledger.db") })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); issueAndKill(t, testenv.Postgres(t)) })
}

// TestIssueFrom_interrupted: a signal ends the work between two hosts, and says how far it came.
func TestIssueFrom_interrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := writeHosts(t, dir, 2000, "ledger.db")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(self)
	cmd.Args, cmd.Stderr = args, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, "host-0000.pem")
	for range time.Tick(time.Millisecond) {
		there, err := atomicfile.Exists(first)
		if err != nil {
			t.Fatal(err)
		}
		if there {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	said := regexp.MustCompile(`^kedge-ca: error: [0-9]+ of 2000 are done: it was interrupted\nkedge-ca: hint: run the same again: it goes on where it ended\n$`)
	if err == nil || err.Error() != "exit status 1" || !said.MatchString(stderr.String()) {
		t.Errorf("%v\n%s", err, &stderr)
	}
	keys, err := filepath.Glob(filepath.Join(dir, "host-*.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if there, err := atomicfile.Exists(strings.TrimSuffix(key, ".key") + ".pem"); err != nil || !there {
			t.Errorf("%s has no certificate: %v", key, err)
		}
	}
}

// writeHosts makes a CA and a list of hosts in a folder, and returns the command line that
// issues for them into it.
func writeHosts(t *testing.T, dir string, count int, where string) []string {
	t.Helper()
	list := bytes.NewBufferString("name\n")
	for i := range count {
		fmt.Fprintf(list, "host-%04d\n", i)
	}
	for name, data := range map[string]string{"hosts.csv": list.String(), "kedge-ca.yaml": "ledger: " + where + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, "init", "--dir", dir, "--no-password")
	return []string{"kedge-ca", "issue", "--dir", dir, "--from", filepath.Join(dir, "hosts.csv"), "--out", dir}
}

func issueAndKill(t *testing.T, where string) {
	const hosts = 200
	dir := t.TempDir()
	args := writeHosts(t, dir, hosts, where)
	killed := 0
	for delay := 50 * time.Millisecond; !runAndKill(t, args, delay); killed++ {
		delay = 50*time.Millisecond + time.Duration(killed*10+rand.IntN(100))*time.Millisecond
	}
	t.Logf("killed %d times", killed)
	mustRun(t, args[1:]...) // nothing is left to do

	h := newHost(cli.Streams{Err: io.Discard})
	s, err := readStore(t.Context(), h, &storeFlags{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(&err)
	n := 0
	for c, err := range s.Ledger.List(t.Context(), ledger.Filter{Kind: ledger.Leaf}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		checkFiles(t, dir, c)
	}
	if n != hosts {
		t.Errorf("%d certificates for %d hosts", n, hosts)
	}
	if report, err := s.Ledger.Verify(t.Context(), ledger.VerifyOptions{}); err != nil || !report.OK() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

func mustRun(t *testing.T, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	if code := run(t.Context(), args, cli.Streams{Out: io.Discard, Err: &stderr}); code != cli.ExitDone {
		t.Fatalf("%q: exit %d\n%s", args, code, &stderr)
	}
}

// runAndKill reports whether the run came to its end before it was killed.
func runAndKill(t *testing.T, args []string, after time.Duration) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args, cmd.Stderr = args, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err = cmd.Wait()
	if err != nil && err.Error() != "signal: killed" {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	return err == nil
}

// checkFiles holds the files of a host against the ledger.
func checkFiles(t *testing.T, dir string, c ledger.Certificate) {
	t.Helper()
	files, err := hostfiles.In(dir, c.CommonName)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := cadir.ReadCertificate(files.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hostfiles.ReadKey(files.Key)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(cert.Raw, c.DER) || !ca.SameKey(key.Public(), cert.PublicKey) {
		t.Errorf("%s: another certificate or key than in the ledger", c.CommonName)
	}
	root, err := cadir.ReadCertificate(files.Chain)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("%s: %v", c.CommonName, err)
	}
}
