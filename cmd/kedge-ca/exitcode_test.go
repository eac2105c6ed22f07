package main

import (
	"os"
	"strings"
	"testing"

	"kedge/internal/cli"
)

// A password that cannot be had is the same failure when a key is made and when it is opened.
func TestExitCode_password(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	fails := func(args ...string) {
		t.Helper()
		for _, from := range [][]string{{"--key-password-from", x.path("nofile")}, nil} {
			all := append(args, from...)
			if code, stdout, stderr := x.try(all...); code != cli.ExitKey || stdout != "" || !strings.HasPrefix(stderr, "kedge-ca: error: ") {
				t.Errorf("%s: exit %d, %s", all, code, stderr)
			}
		}
	}
	fails("init")
	if err := os.WriteFile(x.path("password"), []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.run("init", "--key-password-from", x.path("password"))
	fails("issue", "web-01", "--out", x.dir)
	fails("intermediate", "low", "--new-password-from", x.path("password"))
}
