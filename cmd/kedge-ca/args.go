package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// exactlyOne is for commands with one argument: missing names it, more is the advice if there are
// several.
func exactlyOne(missing, more string) cobra.PositionalArgs {
	several := atMostOne(more)
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(missing)
		}
		return several(cmd, args)
	}
}

// atMostOne is for commands with one optional argument.
func atMostOne(more string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("unexpected argument %q: %s", args[1], more)
		}
		return nil
	}
}

// atLeastOne is for commands that do the same for each argument.
func atLeastOne(missing string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(missing)
		}
		return nil
	}
}
