package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError reports what a flag of a common type takes, where pflag quotes the parser.
func flagError(c *cobra.Command, err error) error {
	if typed := c.Flags().Args(); c.HasSubCommands() && len(typed) > 0 {
		if err := c.ValidateArgs(typed); err != nil { // an unknown command: its flags are not the first thing wrong
			return err
		}
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
