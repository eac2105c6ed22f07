package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
)

// TestArguments: whoever gives an argument too many is told which, in our words, and what to do
// where that is not plain.
func TestArguments(t *testing.T) {
	t.Parallel()
	const want = "kedge-ca: error: unexpected argument \"b\""
	more := map[string]string{
		"issue":          ": issue for one name, in quotes if it has spaces, or for many with --from FILE",
		"sign":           ": sign one request at a time",
		"show":           ": one name, in quotes if it has spaces",
		"who":            ": one name, in quotes if it has spaces",
		"intermediate":   ": make one intermediate at a time",
		"ledger backup":  ": a backup is one file",
		"ledger restore": ": a backup is one file",
		"ledger verify":  ": verify one backup at a time",
	}
	several := []string{"lint", "renew", "rekey", "revoke", "unrevoke"}
	for _, command := range leaves(newRoot(newHost(cli.Streams{})), nil) {
		path := strings.Join(command, " ")
		extra, one := more[path]
		args := append(command, "b")
		switch {
		case strings.HasPrefix(path, "completion") || slices.Contains(several, path):
			continue
		case one:
			args = append(command, "a", "b")
		}
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

// leaves returns the names of all commands that do something.
func leaves(cmd *cobra.Command, path []string) [][]string {
	if !cmd.HasSubCommands() {
		return [][]string{path}
	}
	var all [][]string
	for _, sub := range cmd.Commands() {
		all = append(all, leaves(sub, append(path[:len(path):len(path)], sub.Name()))...)
	}
	return all
}
