package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/spelling"
)

// commandHint is the advice where the first argument is no subcommand of c: the one that was probably meant,
// and where all are. It is empty where c has no subcommands.
func commandHint(c *cobra.Command, args []string) string {
	if !c.HasSubCommands() || len(args) == 0 {
		return ""
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	hint := fmt.Sprintf("run %q for the commands", c.CommandPath()+" --help")
	if meant := spelling.Closest(args[0], names); meant != "" {
		hint = fmt.Sprintf("did you mean %q? %s", c.CommandPath()+" "+meant, hint)
	}
	return hint
}

// flagHint is the advice where a flag is unknown and another was probably meant; else it is empty. A flag
// with one hyphen is taken for letters.
func flagHint(c *cobra.Command, unknown *pflag.NotExistError) string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	name := unknown.GetSpecifiedShortnames()
	if name == "" {
		name = unknown.GetSpecifiedName()
	}
	name, _, _ = strings.Cut(name, "=")
	meant := spelling.Closest(name, names)
	if meant == "" {
		return ""
	}
	return fmt.Sprintf("did you mean --%s? run %q for the flags", meant, c.CommandPath()+" --help")
}

// minMistyped is the size of the shortest first argument that can be a misspelt command: among shorter words are
// too many names, such as lisa and link.
const minMistyped = 5

// mistyped returns an error if the first argument of a command that takes names differs from one of its
// subcommands by one letter. Names with a digit, a dot or a wildcard, and what follows --, are names.
func mistyped(c *cobra.Command, args []string) error {
	if len(args) == 0 || c.ArgsLenAtDash() == 0 || len(args[0]) < minMistyped || len(args[0]) > spelling.MaxLength || strings.ContainsAny(args[0], "0123456789.*") {
		return nil
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && spelling.Distance(args[0], sub.Name()) == 1 {
			return &UsageError{
				Command: c.CommandPath(), Err: fmt.Errorf("%q is nearly the command %q", args[0], sub.CommandPath()),
				Hint: fmt.Sprintf("for a host of that name: %s -- %s", c.CommandPath(), args[0]),
			}
		}
	}
	return nil
}
