package cli

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestClosest(t *testing.T) {
	t.Parallel()
	names := []string{"issue", "list", "ledger", "renew", "revoke", "status", "certificate", "dir"}
	for word, want := range map[string]string{
		"isue": "issue", "issue ": "issue", "statsu": "status", "revok": "revoke", "rewoke": "revoke", "cert": "certificate", "dirr": "dir", "le": "ledger",
		"ls": "", "x": "", "": "", "nosuch": "", "reveal": "", "renewrenewrenewrenewrenewrenewrenewrenewrenew": "",
	} {
		if got := closest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"wrok", "work", 2}, {"same", "same", 0}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestMistyped: a command that takes names does not take a misspelt subcommand for one.
func TestMistyped(t *testing.T) {
	t.Parallel()
	for args, code := range map[string]int{
		"listt": ExitUsage, "listt web": ExitUsage, "listt --help": ExitUsage, "listt --nope": ExitUsage, "web --help": ExitDone, "-- listt --help": ExitDone, "-- listt": ExitDone, "web listt": ExitDone, "list1": ExitDone, "list.": ExitDone, "list*": ExitDone,
		"lisa": ExitDone, "lisboa": ExitDone, "list": ExitDone, "": ExitDone,
	} {
		done := func(*cobra.Command, []string) error { return nil }
		root, token := &cobra.Command{Use: "ca"}, &cobra.Command{Use: "token", Args: cobra.ArbitraryArgs, RunE: done}
		token.AddCommand(&cobra.Command{Use: "list", RunE: done})
		root.AddCommand(token)
		var stderr strings.Builder
		got := Main(context.Background(), Program{Name: "ca", Root: root}, append([]string{"token"}, strings.Fields(args)...), Streams{Out: io.Discard, Err: &stderr})
		if got != code {
			t.Errorf("%q: exit %d, want %d: %s", args, got, code, &stderr)
		}
		want := "ca: error: \"listt\" is nearly the command \"ca token list\"\nca: hint: for a host of that name: ca token -- listt\n"
		if code != ExitDone && stderr.String() != want {
			t.Errorf("%q: %s", args, &stderr)
		}
	}
}
