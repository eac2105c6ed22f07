package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
)

// minEvery is the least time between two turns. A turn with nothing to do takes milliseconds.
const minEvery = time.Second

func (o *renewOptions) checkEvery(cmd *cobra.Command) error {
	if cmd.Flags().Changed("every") && o.every < minEvery {
		return badValue(cmd, "every", errors.New("it must be at least "+minEvery.String()))
	}
	return nil
}

// renewEvery renews what is due, again and again, until a signal ends it, which is no failure.
func (o *renewOptions) renewEvery(ctx context.Context) error {
	ctx, stop := cli.UntilSignal(ctx)
	defer stop()
	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	waits := false // for a host to be enrolled, which is said once
	for ctx.Err() == nil {
		dirs, err := o.chosen()
		if err != nil {
			return err
		}
		if len(dirs) == 0 && !waits {
			if err := o.doneNone(); err != nil {
				return err
			}
		}
		waits = len(dirs) == 0
		if err := o.renewAll(ctx, dirs); err != nil && ctx.Err() == nil {
			o.sayError(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// doneNone reports that nobody is enrolled.
func (o *renewOptions) doneNone() error {
	base, err := config.StateDir(o.environment)
	if err == nil {
		o.done("no host is enrolled in " + base + " yet")
	}
	return err
}
