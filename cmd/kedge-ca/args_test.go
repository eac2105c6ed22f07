package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kedge/internal/cli"
)

// TestArguments: an error for an extra argument names it, and advises if the cure is not
// obvious.
func TestArguments(t *testing.T) {
	t.Parallel()
	const want = "kedge-ca: error: unexpected argument \"b\""
	more := map[string]string{
		"issue":           ": issue for one name, in quotes if it has spaces, or for many with --from FILE",
		"sign":            ": sign one request at a time",
		"show":            ": one name, in quotes if it has spaces",
		"who":             ": one name, in quotes if it has spaces",
		"deny-renew":      ": deny one name at a time, in quotes if it has spaces",
		"decommission":    ": take one host out of service at a time, its name in quotes if it has spaces",
		"resolve":         ": resolve one name at a time, in quotes if it has spaces",
		"key create":      ": make one key at a time",
		"aws permissions": ": write one policy at a time",
		"aws explain":     ": explain one host at a time, its name in quotes if it has spaces",
		"intermediate":    ": make one intermediate at a time",
		"ledger backup":   ": a backup is one file",
		"ledger restore":  ": a backup is one file",
		"ledger verify":   ": verify one backup at a time",
		"backup check":    ": check one backup at a time",
		"backup restore":  ": restore one backup at a time",
	}
	several := []string{"aws policy", "aws policy lint", "approve", "deny", "lint", "renew", "rekey", "revoke", "unrevoke", "ledger import", "token revoke"}
	for _, cmd := range commandTree(newRoot(host{}, nil)) {
		path := strings.TrimPrefix(cmd.CommandPath(), "kedge-ca ")
		if cmd.HasSubCommands() || slices.Contains(several, path) {
			continue
		}
		args := strings.Fields(path)
		extra, one := more[path]
		if one {
			args = append(args, "a")
		}
		args = append(args, "b")
		var stderr bytes.Buffer
		code := run(t.Context(), args, cli.Streams{Err: &stderr})
		line, hint, _ := strings.Cut(stderr.String(), "\n")
		if code != cli.ExitUsage || line != want+extra || !strings.HasPrefix(hint, `kedge-ca: hint: run "kedge-ca `+path+` --help"`) {
			t.Errorf("%s: exit %d: %s\n%s", path, code, line, hint)
		}
		delete(more, path)
	}
	if len(more) != 0 {
		t.Errorf("no such commands: %v", more)
	}
}

// TestArguments_misspelt: a misspelt command is an error that names the command meant, also where help is wanted.
func TestArguments_misspelt(t *testing.T) {
	t.Parallel()
	for _, cmd := range commandTree(newRoot(host{}, nil))[1:] {
		for _, more := range []string{"--help", "-h", "--nosuch", "--help --nosuch"} {
			args := append(strings.Fields(cmd.CommandPath() + "x")[1:], strings.Fields(more)...)
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr})
			isName := strings.Contains(stderr.String(), "-- "+cmd.Name()+"x") // where the parent takes names
			if code != cli.ExitUsage || stdout.Len() > 0 || !isName && !strings.Contains(stderr.String(), `did you mean "`+cmd.CommandPath()+`"?`) {
				t.Errorf("%q: exit %d: %s%s", args, code, &stdout, &stderr)
			}
		}
	}
}
