package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/enrollclient"
	"kedge/internal/hostkeys"
)

type unenrollOptions struct {
	identityFlags
	yes     bool
	confirm func(question string) (bool, error)
}

// errDeclined is returned if the user does not want it after all.
var errDeclined = errors.New("nothing was done")

func newUnenroll(h host, run func(context.Context, *unenrollOptions) error) *cobra.Command {
	o := &unenrollOptions{identityFlags: identityFlags{host: h}, confirm: cli.Confirm}
	cmd := &cobra.Command{
		Use:   "unenroll",
		Short: "Revoke the certificate of this host and remove its files",
		Long: `Has the server that the host enrolled at revoke the certificate, then removes the folder of the
identity, with its private key. A key under a handle of a TPM or on a token stays there. If the server
cannot be reached, nothing is removed.`,
		Example: `  kedge unenroll
  kedge unenroll --dir /var/lib/kedge/web-01 --yes`,
		Args:    cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.add(flags, "`FOLDER` of the identity (default: the only one that this user has)")
	flags.BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func runUnenroll(ctx context.Context, o *unenrollOptions) error {
	dir, err := o.one()
	if err != nil {
		return err
	}
	if !o.yes {
		question := fmt.Sprintf("Revoke the certificate in %s and remove the folder?", dir)
		yes, err := o.confirm(question)
		if errors.Is(err, cli.ErrNoTerminal) {
			return &cli.UnconfirmedError{Question: question, Err: err}
		}
		if err != nil {
			return err
		}
		if !yes {
			return errDeclined
		}
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	got, err := enrollclient.Unenroll(ctx, enrollclient.Unenrolling{Connection: o.connection, Dir: dir, Keys: o.keysOf})
	if err != nil {
		return hostkeys.Named(err)
	}
	o.done(fmt.Sprintf("certificate %s is revoked, and %s removed", got.Serial, dir))
	if got.Key != "" {
		o.done("the key stays where it is: " + got.Key)
	}
	return nil
}
