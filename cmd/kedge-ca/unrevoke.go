package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
	"kedge/internal/cli"
)

type unrevokeOptions struct {
	caOptions
	selectors selectorFlags
	why       string
}

func newUnrevoke(h host, run func(context.Context, *unrevokeOptions) error) *cobra.Command {
	o := &unrevokeOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "unrevoke [<name>...]",
		Short: "End the hold of certificates",
		Long: `End the hold of certificates that were revoked with --reason certificate-hold, all of those
named or none. Any other revocation is for good. Names are read as by "kedge-ca who".`,
		Example: `  kedge-ca unrevoke web-01 --why "disk was found"`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.selectors.set(args); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.selectors.add(cmd)
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runUnrevoke(ctx context.Context, s *store, o *unrevokeOptions) error {
	chosen, err := s.Service.ToRelease(ctx, o.selectors.all)
	if err != nil {
		return err
	}
	changed, err := s.Service.Release(ctx, chosen.Certificates, o.why)
	if err != nil {
		return err
	}
	return o.reportChange(certinfo.Change{Done: "released", Changed: changed, Skipped: chosen.Skipped})
}
