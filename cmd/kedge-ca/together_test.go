package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/hostcert"
	"kedge/internal/hostfiles"
)

// together starts a command line several times at once, as processes of their own, and returns
// what each wrote to standard error, with its exit code before it.
func together(t *testing.T, count int, args ...string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said := make([]string, count)
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() {
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), self)
			cmd.Args, cmd.Stderr = append([]string{"kedge-ca"}, args...), &stderr
			_ = cmd.Run() // its exit code says it
			said[i] = fmt.Sprintf("%d: %s", cmd.ProcessState.ExitCode(), &stderr)
		})
	}
	group.Wait()
	return said
}

// inLedger returns the leaves of a CA, by name.
func inLedger(t *testing.T, dir string) map[string][]ledger.Certificate {
	t.Helper()
	s, err := readStore(t.Context(), newHost(cli.Streams{Err: io.Discard}), &storeFlags{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(&err)
	all := map[string][]ledger.Certificate{}
	for c, err := range s.Ledger.List(t.Context(), ledger.Filter{Kind: ledger.Leaf}) {
		if err != nil {
			t.Fatal(err)
		}
		all[c.CommonName] = append(all[c.CommonName], c)
	}
	return all
}

// orphan leaves a key without certificate, as an interrupted run does.
func orphan(t *testing.T, path string) {
	t.Helper()
	kind, err := parseKeyKind("P-256", "seed")
	if err != nil {
		t.Fatal(err)
	}
	_, der, err := kind.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, hostfiles.KeyPEM(der), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestIssue_together: of several processes that issue one name, one does, also when all of them
// find the key of a run that was interrupted.
func TestIssue_together(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, "init", "--dir", dir, "--no-password")
	const rounds = 6
	for round := range rounds {
		name := fmt.Sprintf("web-%d", round)
		key := filepath.Join(dir, name+".key")
		if round%2 == 1 {
			orphan(t, key)
		}
		done := 0
		for _, said := range together(t, 6, "issue", name, "--dir", dir, "--out", dir) {
			switch {
			case strings.HasPrefix(said, "0: kedge-ca: done: issued "):
				done++
			case said != "1: kedge-ca: error: create "+key+": file already exists\nkedge-ca: hint: nothing is ever overwritten here; move it away, or choose another folder or name\n":
				t.Errorf("%s: %s", name, said)
			}
		}
		if done != 1 {
			t.Errorf("%d processes issued %s", done, name)
		}
	}
	checkOnce(t, dir, rounds)
}

// checkOnce wants names in the ledger, each with one certificate and its files.
func checkOnce(t *testing.T, dir string, names int) {
	t.Helper()
	all := inLedger(t, dir)
	for name, certs := range all {
		if len(certs) != 1 {
			t.Errorf("%s has %d certificates", name, len(certs))
			continue
		}
		checkFiles(t, dir, certs[0])
	}
	if len(all) != names {
		t.Errorf("%d names in the ledger", len(all))
	}
}

// TestIssueFrom_together: several processes with the same list share the work.
func TestIssueFrom_together(t *testing.T) {
	t.Parallel()
	const hosts = 60
	dir := t.TempDir()
	args := writeHosts(t, dir, hosts, "ledger.db")
	for i := 0; i < hosts; i += 7 {
		orphan(t, filepath.Join(dir, fmt.Sprintf("host-%04d.key", i)))
	}
	for _, said := range together(t, 4, args[1:]...) {
		if !strings.HasPrefix(said, "0: ") {
			t.Error(said)
		}
	}
	checkOnce(t, dir, hosts)
}

// TestIssuer_together is the same among goroutines, which all look before the first issues.
func TestIssuer_together(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, "init", "--dir", dir, "--no-password")
	h := newHost(cli.Streams{Err: io.Discard})
	s, err := openStore(t.Context(), h, &storeFlags{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(&err)
	opened, err := s.Issuer(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	files, err := hostfiles.In(dir, "web-01")
	if err != nil {
		t.Fatal(err)
	}
	orphan(t, files.Key)
	kind, err := parseKeyKind("P-256", "seed")
	if err != nil {
		t.Fatal(err)
	}
	i := &hostcert.Issuer{Issuer: opened}
	r := hostcert.Request{Leaf: ca.Request{Name: "web-01", Host: rand.Text()}, Profile: ca.DefaultProfile(), NewKey: kind.Generate, Files: files}
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() { _, _ = i.Make(context.Background(), r) }) // all but one fail
	}
	group.Wait()
	certs := inLedger(t, dir)["web-01"]
	if len(certs) != 1 {
		t.Fatalf("%d certificates", len(certs))
	}
	checkFiles(t, dir, certs[0])
}

// TestRenew_together: processes that renew or rekey the same certificate replace it once; later
// ones find the new one.
func TestRenew_together(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"renew", "rekey"} {
		dir := t.TempDir()
		mustRun(t, "init", "--dir", dir, "--no-password")
		mustRun(t, "issue", "web-01", "--dir", dir, "--out", dir)
		for _, said := range together(t, 8, verb, "web-01", "--dir", dir, "--out", dir) {
			if !strings.HasPrefix(said, "0: kedge-ca: done: "+verb+"ed ") && !strings.HasPrefix(said, "0: kedge-ca: done: "+verb+"ed before") {
				t.Errorf("%s: %s", verb, said)
			}
		}
		certs := inLedger(t, dir)["web-01"]
		replaced := map[string]int{}
		for _, c := range certs {
			if replaced[string(c.Replaces)]++; replaced[string(c.Replaces)] > 1 {
				t.Errorf("%s: %x is replaced twice", verb, c.Replaces)
			}
		}
		if len(certs) < 2 {
			t.Fatalf("%s: %d certificates", verb, len(certs))
		}
		checkFiles(t, dir, certs[len(certs)-1])
	}
}

// TestRenewal_again: what another process renewed while this one waited is not renewed again.
func TestRenewal_again(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"renew", "rekey"} {
		dir := t.TempDir()
		mustRun(t, "init", "--dir", dir, "--no-password")
		mustRun(t, "issue", "web-01", "--dir", dir, "--out", dir)
		h := newHost(cli.Streams{Err: io.Discard})
		s, err := openStore(t.Context(), h, &storeFlags{dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer s.close(&err)
		o := &renewOptions{host: h, out: dir, rekey: verb == "rekey", keys: leafKeyFlags{form: "seed"}, workers: 1}
		w, err := o.renewer(s).Plan(t.Context(), hostcert.Named{Words: []string{"web-01"}})
		if err != nil {
			t.Fatal(err)
		}
		mustRun(t, verb, "web-01", "--dir", dir, "--out", dir)
		i, err := s.hostIssuer(t.Context(), "", &o.form)
		if err != nil {
			t.Fatal(err)
		}
		w.Run(t.Context(), i, func() {})
		if len(w.Done) != 1 || !w.Done[0].Again {
			t.Errorf("%s: %+v", verb, w)
		}
		certs := inLedger(t, dir)["web-01"]
		if len(certs) != 2 {
			t.Fatalf("%s: %d certificates", verb, len(certs))
		}
		checkFiles(t, dir, certs[1])
	}
}

// TestIntermediate_together: one key of an authority gets one certificate.
func TestIntermediate_together(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, "init", "--dir", dir, "--no-password")
	orphan(t, filepath.Join(dir, "issuing-1.key"))
	together(t, 6, "intermediate", "issuing-1", "--dir", dir, "--no-password")
	together(t, 6, "renew", "--authority", "issuing-1", "--dir", dir)
	s, err := readStore(t.Context(), newHost(cli.Streams{Err: io.Discard}), &storeFlags{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(&err)
	replaced := map[string]int{}
	for c, err := range s.Ledger.List(t.Context(), ledger.Filter{Kind: ledger.Intermediate}) {
		if err != nil {
			t.Fatal(err)
		}
		replaced[string(c.Replaces)]++
	}
	if len(replaced) < 2 || replaced[""] != 1 {
		t.Errorf("certificates by what they replace: %x", replaced)
	}
	for what, n := range replaced {
		if n > 1 {
			t.Errorf("%x was replaced %d times", what, n)
		}
	}
}
