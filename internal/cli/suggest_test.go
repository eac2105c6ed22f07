package cli

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

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
