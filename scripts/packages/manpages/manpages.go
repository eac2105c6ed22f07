// Package manpages writes the manual pages of a program from its commands. The tests of each program check its pages
// by it; scripts/packages/build has those tests write them.
package manpages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// Dir is the variable with the folder to write to; without it, pages are only checked.
const Dir = "KEDGE_MAN_DIR"

// Check writes a page for each command, and checks that each has its own description and all of its flags. The
// commands cannot be used afterwards.
func Check(t testing.TB, root *cobra.Command) {
	t.Helper()
	dir := os.Getenv(Dir)
	if dir == "" {
		dir = t.TempDir()
	}
	all := commands(root)
	for _, cmd := range all {
		escape(cmd)
	}
	header := doc.GenManHeader{Section: "1", Source: root.Name(), Manual: "kedge"} // the date is $SOURCE_DATE_EPOCH
	if err := doc.GenManTree(root, &header, dir); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range all {
		if cmd.IsAvailableCommand() || cmd == root {
			check(t, cmd, filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		}
	}
}

func check(t testing.TB, cmd *cobra.Command, path string) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	text := strings.ReplaceAll(string(page), `\-`, "-")
	if !strings.Contains(text, ".SH DESCRIPTION") || !strings.Contains(text, ".SH SYNOPSIS") {
		t.Errorf("%s lacks a part", path)
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" && !strings.Contains(text, "--"+f.Name) {
			t.Errorf("%s lacks --%s", path, f.Name)
		}
	})
}

// commands returns a command and all below it.
func commands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, commands(sub)...)
	}
	return all
}

// escape makes Markdown of the plain text of a command, for doc reads its words as that.
func escape(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	cmd.Long = markdown(cmd.Long)
	cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = escaper().Replace(f.Usage) })
}

// markdown returns Markdown that looks as a plain text does: indented lines stay lines.
func markdown(text string) string {
	var out strings.Builder
	indented := false
	for line := range strings.Lines(text) {
		is := strings.HasPrefix(line, "  ") || indented && strings.TrimSpace(line) == ""
		if is != indented {
			out.WriteString("\n")
		}
		if indented = is; is {
			out.WriteString("    " + line)
			continue
		}
		out.WriteString(escaper().Replace(line))
	}
	return out.String()
}

// escaper escapes what Markdown takes for emphasis, links and HTML.
func escaper() *strings.Replacer {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "]", `\]`, "#", `\#`)
}
