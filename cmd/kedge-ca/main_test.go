package main

import (
	"bytes"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/ca"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/testenv"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kedge-ca": main})
}

// TestScripts runs testdata/script/COMMAND/*.txtar through the real program. Its children
// have no terminal, so a prompt is an error.
func TestScripts(t *testing.T) {
	t.Parallel()
	openssl := testenv.Tool(t, "openssl")
	dirs, err := filepath.Glob("testdata/script/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	schema1, err := filepath.Abs("../../ca/ledger/testdata/schema-1.db")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 dir,
				RequireExplicitExec: true,
				Setup: func(e *testscript.Env) error {
					e.Setenv("OPENSSL", openssl)
					e.Setenv("SCHEMA1", schema1)
					return os.Chmod(e.WorkDir, 0o700)
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"mode": mode, "private": private, "who": who, "numbers": numbers, "keep": keep},
			})
		})
	}
}

// mode checks the permission bits of a file: mode 0600 FILE.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// private takes a file away from group and others, as a password file should be.
func private(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		ts.Check(os.Chmod(ts.MkAbs(file), 0o600))
	}
}

// TestIssue_outOfDate: a CA that is not in date cannot be used, and leaves nothing behind.
func TestIssue_outOfDate(t *testing.T) {
	t.Parallel()
	kind, err := parseKeyKind("P-256", "seed")
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		dir := t.TempDir()
		h := host{inputs: config.Host{Now: func() time.Time { return time.Now().Add(off) }}, Streams: cli.Streams{Err: io.Discard}}
		o := initOptions{caOptions: caOptions{host: h, store: storeFlags{dir: dir}}, key: newKeyFlags{noPassword: true}, kind: kind}
		o.config = ca.AuthorityConfig{Subject: pkix.Name{CommonName: "old"}, Lifetime: 24 * time.Hour}
		if err := runInit(t.Context(), &o); err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		code := run(t.Context(), []string{"issue", "web-01", "--dir", dir, "--out", dir}, cli.Streams{Err: &stderr})
		const want = `kedge-ca: error: the CA certificate "CN=old" is valid from `
		if code != cli.ExitKey || !strings.HasPrefix(stderr.String(), want) || !strings.Contains(stderr.String(), "\nkedge-ca: hint: check this host's clock") {
			t.Errorf("exit %d: %s\nwant %s", code, &stderr, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "web-01.key")); !os.IsNotExist(err) {
			t.Errorf("web-01.key: %v", err)
		}
	}
}

func TestAdvise_permission(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := &fs.PathError{Op: "create", Path: filepath.Join(dir, "web-01.key"), Err: fs.ErrPermission}
	if hint := advise(err).Hint; !strings.HasPrefix(hint, dir+" has mode 0") || !strings.Contains(hint, "; choose another folder with --dir, --out or") {
		t.Errorf("hint: %s", hint)
	}
}
