package main

import (
	"errors"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/localca"
)

// errDeclined is returned if the user answered no. Nothing was changed.
var errDeclined = errors.New("not confirmed; nothing was changed")

// confirmFlag is --yes, for steps that cannot be undone.
type confirmFlag struct{ yes bool }

func (f *confirmFlag) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do it without asking")
}

// ask returns nil if --yes was given or the user agrees to the question, such as "revoke 3
// certificates?". Otherwise the error is errDeclined or, without a terminal, an *cli.UnconfirmedError.
func (f confirmFlag) ask(h host, question string) error {
	if f.yes {
		return nil
	}
	agreed, err := h.confirm(question)
	switch {
	case errors.Is(err, cli.ErrNoTerminal):
		return &cli.UnconfirmedError{Question: question, Err: err}
	case err != nil:
		return err
	case !agreed:
		return errDeclined
	}
	return nil
}

// asker returns ask for a step of a package below.
func (f *confirmFlag) asker(h host) localca.Ask {
	return func(question string) error { return f.ask(h, question) }
}
