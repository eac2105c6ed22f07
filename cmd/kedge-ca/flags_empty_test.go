package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
)

// TestFlags_empty: each flag that names a file or folder is refused if it is given empty, as by a variable of the
// shell that is not set: without it, other files than those that were meant would be used.
func TestFlags_empty(t *testing.T) {
	t.Parallel()
	aboutFiles := regexp.MustCompile("`(FILE|FOLDER|PATH|REF)`|" + `(?i)\b(file|folder) (with|of|to)\b`)
	n := 0
	for _, cmd := range commandTree(newRoot(host{}, nil)) {
		if cmd.HasSubCommands() && !cmd.Runnable() {
			continue
		}
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Value.Type() == "bool" || !aboutFiles.MatchString(flag.Usage) {
				return
			}
			n++
			if text := givenEmpty(t, cmd, flag.Name); !strings.Contains(text, "is empty") {
				t.Errorf("%s --%s= (%s): %s", cmd.CommandPath(), flag.Name, flag.Usage, text)
			}
		})
	}
	if n < 100 {
		t.Errorf("%d flags name files", n)
	}
}

// givenEmpty runs a command with an empty flag, and an argument if it wants one. Nothing else is right with it.
func givenEmpty(t *testing.T, cmd *cobra.Command, flag string) string {
	t.Helper()
	args := append(strings.Fields(cmd.CommandPath())[1:], "--"+flag+"=")
	text := ""
	for _, more := range []string{"", "a"} {
		var stderr bytes.Buffer
		if more != "" {
			args = append(args, more)
		}
		if code := run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Err: &stderr, Out: &stderr}); code != cli.ExitUsage {
			t.Errorf("%s: exit code %d", args, code)
		}
		text += stderr.String()
	}
	return text
}
