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
	aboutFiles := regexp.MustCompile(`(?i)\b(file|folder|path|fd:N|REF|program)\b`)
	others := map[string]bool{"role-name": true, "key-group": true, "aws-profile": true, "pkcs11": true, "tpm": true, "profile": true, "config-profile": true, "default": true}
	n := 0
	for _, cmd := range commandsBelow(newRoot(cli.Streams{}, nil)) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Value.Type() == "bool" || others[flag.Name] || !aboutFiles.MatchString(flag.Usage) {
				return
			}
			n++
			var stdout, stderr bytes.Buffer
			args := append(strings.Fields(cmd.CommandPath())[1:], "--"+flag.Name+"=")
			if cmd.Name() == "exec" {
				args = append(args, "--", "true")
			}
			h := newHost(cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
			h.environment = nil
			code := cli.Main(t.Context(), cli.Program{Name: name, Root: rootOf(h, args), Advise: advise}, args, h.Streams)
			if code != cli.ExitUsage || !strings.Contains(stderr.String(), "--"+flag.Name+" is empty") {
				t.Errorf("%s: exit code %d, %s", args, code, &stderr)
			}
		})
	}
	if n < 80 {
		t.Errorf("%d flags name files", n)
	}
}

// commandsBelow returns the commands of a program that do something.
func commandsBelow(cmd *cobra.Command) (all []*cobra.Command) {
	if cmd.Runnable() && cmd.HasParent() {
		all = append(all, cmd)
	}
	for _, sub := range cmd.Commands() {
		all = append(all, commandsBelow(sub)...)
	}
	return all
}
