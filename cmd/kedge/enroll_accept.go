package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/enrollclient"
	"kedge/internal/hostkeys"
)

// checkAccepting refuses flags about a first certificate beside --accept-settings.
func (o *enrollOptions) checkAccepting(cmd *cobra.Command) error {
	if !o.acceptSettings {
		return nil
	}
	if o.argument != "" {
		return cli.Usagef(cmd, "--accept-settings needs no token: this host is enrolled")
	}
	for _, flag := range []string{"token-file", "name", "tpm", "pkcs11", "key-type", "key-password-from", "pkcs11-lib", "key-group", "force"} {
		if cmd.Flags().Changed(flag) {
			return cli.Usagef(cmd, "--accept-settings and --%s cannot be used together", flag)
		}
	}
	return nil
}

// accept renews the certificate of an enrolled host, takes the AWS settings that its server names, and
// checks them as after an enrollment.
func (o *enrollOptions) accept(ctx context.Context) error {
	dir, err := o.one()
	if err != nil {
		return err
	}
	limited, stop := interruptible(ctx)
	defer stop()
	got, err := enrollclient.Renew(limited, enrollclient.Renewing{Connection: o.connection, Dir: dir, Force: true, AcceptSettings: true, Keys: o.keysOf})
	if err != nil {
		return hostkeys.Named(err)
	}
	role := "the server names no role"
	if got.Pair.Record.AWS != nil {
		role = "its role is " + got.Pair.Record.AWS.RoleARN
	}
	o.done(fmt.Sprintf("%s is renewed: certificate %s; %s", got.Pair.Record.Name, got.Pair.Record.Serial, role))
	enrolled := &enrollclient.Enrolled{Dir: dir, Pair: got.Pair}
	if err := o.use(limited, enrolled); err != nil {
		return err
	}
	return o.printResult(enrolled)
}
