package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/hostdir"
	"kedge/internal/process"
	"kedge/internal/processline"
)

// checkHooks refuses what is no command before anything is renewed.
func (o *renewOptions) checkHooks(cmd *cobra.Command) error {
	for _, line := range o.hooks {
		if words, err := processline.Split(line); err != nil {
			return badValue(cmd, "exec", fmt.Errorf("%q: %w", line, err))
		} else if len(words) == 0 {
			return badValue(cmd, "exec", errors.New("there is no command in it"))
		}
	}
	if o.hookTimeout <= 0 {
		return badValue(cmd, "exec-timeout", fmt.Errorf("it must be more than zero, not %s", o.hookTimeout))
	}
	return nil
}

// hookIn runs the commands of --exec for the identity in a folder. What they print goes to standard
// error. One that does not end in time is killed, with what it started.
func (o *renewOptions) hookIn(dir string) func(context.Context, string, *hostdir.Pair) error {
	return func(ctx context.Context, line string, pair *hostdir.Pair) error {
		words, err := processline.Split(line)
		if err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, o.hookTimeout)
		defer cancel()
		cmd := exec.CommandContext(limited, words[0], words[1:]...)
		cmd.Env = append(cmd.Environ(), "KEDGE_RENEWED_DIR="+dir, "KEDGE_RENEWED_NAME="+pair.Record.Name, "KEDGE_RENEWED_SERIAL="+pair.Record.Serial)
		cmd.Stdout, cmd.Stderr = o.Err, o.Err
		cmd.WaitDelay = time.Second
		process.KillTogether(cmd)
		err = cmd.Run()
		switch {
		case err != nil && ctx.Err() == nil && limited.Err() != nil:
			return fmt.Errorf("it did not end within %s", o.hookTimeout)
		case err != nil:
			return hookFailure(err)
		}
		o.done(fmt.Sprintf("%s: ran %s", pair.Record.Name, cli.Printable(line)))
		return nil
	}
}

// hookFailure leaves out what the message about a hook has already.
func hookFailure(err error) error {
	if lookup, ok := errors.AsType[*exec.Error](err); ok {
		return lookup.Err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
