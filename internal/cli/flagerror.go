package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// onlyCommands is the annotation of a command whose arguments can only be subcommands.
const onlyCommands = "kedge-only-commands"

// unknownCommand returns an error if what was typed after c can only be a subcommand, and c has none of that name,
// or if it is a misspelt one.
func unknownCommand(c *cobra.Command) error {
	typed := c.Flags().Args()
	if c.Annotations[onlyCommands] != "" && len(typed) > 0 {
		return c.ValidateArgs(typed)
	}
	return mistyped(c, typed)
}

// flagError reports what a flag of a common type takes, where pflag quotes the parser.
func flagError(c *cobra.Command, err error) error {
	if err := unknownCommand(c); err != nil { // its flags are not the first thing wrong
		return err
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return &UsageError{Command: c.CommandPath(), Hint: flagHint(c, unknown), Err: err}
	}
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return Usagef(c, "%w", err)
	}
	name, value := invalid.GetFlag().Name, invalid.GetValue()
	usage := &UsageError{Command: c.CommandPath()}
	kind := invalid.GetFlag().Value.Type()
	switch {
	case kind == "duration" && strings.HasPrefix(invalid.Unwrap().Error(), "time: "): // not a program's own type, which has words of its own
		usage.Err = fmt.Errorf("--%s: %q is not a duration", name, value)
		usage.Hint = "write a number with a unit, such as 5s, 10m or 24h; there is none for days"
	case kind == "int":
		usage.Err = fmt.Errorf("--%s: %q is not a whole number", name, value)
	default:
		usage.Err = err
	}
	return usage
}
