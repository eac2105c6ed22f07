package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
)

// A command that reads ends silently when its output is closed; one that issues reports what is
// lost.
func TestClosedPipe(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.now = time.Now()
	x.run("init", "--no-password")
	x.run("issue", "web-01", "--out", x.dir)
	csr := x.path("ca/low.csr")
	x.run("intermediate", "low", "--csr", "--no-password")
	try := func(args ...string) (int, string) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		r.Close()
		var words bytes.Buffer
		return run(t.Context(), append(args, "--dir", x.path("ca")), cli.Streams{Out: w, Err: &words}), words.String()
	}
	for _, args := range [][]string{
		{"list"}, {"list", "--json"}, {"list", "--csv"}, {"expiring"}, {"who", "web-01"}, {"show", "web-01"}, {"show", "web-01", "--pem"},
		{"status"}, {"status", "--json"}, {"bundle"}, {"rotate", "status"}, {"ledger", "export"}, {"ledger", "verify"},
	} {
		if code, stderr := try(args...); code != cli.ExitDone || strings.Contains(stderr, "error") {
			t.Errorf("%s: exit %d, %s", args, code, stderr)
		}
	}
	if code, stderr := try("intermediate", "--from", csr); code != cli.ExitFailed || !strings.Contains(stderr, "standard output: ") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
