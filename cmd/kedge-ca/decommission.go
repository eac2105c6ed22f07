package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
)

type decommissionOptions struct {
	caOptions
	confirm confirmFlag
	name    string
	why     string
}

func newDecommission(h host, run func(context.Context, *decommissionOptions) error) *cobra.Command {
	o := &decommissionOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "decommission <name>",
		Short: "Take a host out of service, and free its name",
		Long: `Revoke the certificates of a name that are valid or can still be renewed, and the tokens for it.
Nobody can renew under the name any more, and it is free: a new token gives it to another host. It
needs a yes on the terminal or --yes.

Revocation counts once the list that "kedge-ca crl" makes is imported.`,
		Example: `  kedge-ca decommission web-01 --yes`,
		Args:    exactlyOne("give the name of the host: kedge-ca decommission NAME", "take one host out of service at a time, its name in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.confirm.add(cmd)
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runDecommission(ctx context.Context, s *store, o *decommissionOptions) error {
	if err := o.confirm.ask(o.host, fmt.Sprintf("revoke all certificates and tokens of %q, and free the name?", o.name)); err != nil {
		return err
	}
	d, err := s.Service.Decommission(ctx, o.name, o.why)
	if err != nil {
		return err
	}
	for _, t := range d.Tokens {
		o.say("revoked the token " + hex.EncodeToString(t.ID))
	}
	return o.reportChange(certinfo.Change{Done: "revoked", Changed: &d.Changed}, fmt.Sprintf("the name %q is free", o.name))
}
