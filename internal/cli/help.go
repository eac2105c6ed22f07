package cli

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"
)

// prepareHelp makes "help nosuch" an error, for which cobra prints what there is and is content.
func prepareHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, help := range root.Commands() {
		if help.Name() == "help" {
			help.Args = knownCommand
		}
	}
}

func knownCommand(help *cobra.Command, args []string) error {
	_, rest, err := help.Root().Find(args)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("unknown command %q", rest[0])
	}
	if err != nil {
		return Usagef(help.Root(), "%w", err)
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
