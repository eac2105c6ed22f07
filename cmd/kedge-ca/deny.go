package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
)

type denyRenewOptions struct {
	caOptions
	name string
	undo bool
	why  string
}

func newDenyRenew(h host, run func(context.Context, *denyRenewOptions) error) *cobra.Command {
	o := &denyRenewOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "deny-renew <name>",
		Short: "Give a host no more certificates",
		Long: `Refuse a host, by its name, further certificates from "kedge-ca serve": it can neither renew nor
enroll, with any key or token. What it has stays valid until it expires; kedge-ca revoke ends that at
once. --undo allows it again.`,
		Example: `  kedge-ca deny-renew web-01 --why "moved to another network"`,
		Args:    exactlyOne("give the name of the host: kedge-ca deny-renew NAME", "deny one name at a time, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.name = args[0]; o.undo && o.why != "" {
				return cli.Usagef(cmd, "--why: there is nothing to say it about with --undo")
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.undo, "undo", false, "allow it again")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runDenyRenew(ctx context.Context, s *store, o *denyRenewOptions) error {
	if o.undo {
		if err := s.Service.AllowRenewal(ctx, o.name); err != nil {
			return err
		}
		o.say(fmt.Sprintf("%q gets certificates again", o.name))
	} else {
		if err := s.Service.DenyRenewal(ctx, o.name, o.why); err != nil {
			return err
		}
		o.say(fmt.Sprintf("%q gets no more certificates; allow it again with --undo", o.name))
	}
	return o.writeJSON(struct {
		Name   string `json:"name"`
		Denied bool   `json:"denied"`
	}{o.name, !o.undo})
}
