package cli

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"
)

// helper prints help, unless an unknown command stands before --help, which is an error: cobra prints the
// help of what is known.
type helper struct {
	print func(*cobra.Command, []string)
	err   error
}

func (h *helper) show(c *cobra.Command, args []string) {
	if h.err = unknownCommand(c); h.err == nil {
		h.print(c, args)
	}
}

// prepareHelp makes "help nosuch" and "nosuch --help" errors; the latter is in the helper that it returns.
func prepareHelp(root *cobra.Command) *helper {
	h := &helper{print: root.HelpFunc()}
	root.SetHelpFunc(h.show)
	root.InitDefaultHelpCmd()
	for _, help := range root.Commands() {
		if help.Name() == "help" {
			help.Args = knownCommand
		}
	}
	return h
}

func knownCommand(help *cobra.Command, args []string) error {
	found, rest, err := help.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("unknown command %q", rest[0])
	}
	if err != nil {
		return &UsageError{Command: found.CommandPath(), Hint: commandHint(found, rest), Err: err}
	}
	return nil
}

// output remembers the first error of writing: what cobra writes, such as help, it does not check.
// That the reader of a pipe has seen enough, as head has, is none.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.err == nil && !errors.Is(err, syscall.EPIPE) {
		o.err = err
	}
	return n, err
}
