package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cli"
)

type expiringOptions struct {
	caOptions
	within   ca.Duration
	kind     string
	replaced bool
	limit    limitFlag
}

func newExpiring(h host, run func(context.Context, *expiringOptions) error) *cobra.Command {
	o := &expiringOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "expiring",
		Short: "List certificates that have expired or soon will, and have no successor",
		Long: `List the certificates that expire within a time, and those that have expired, the first to end
first, unless another certificate has taken their place: one that renews them, or one of the same
name with another key. What is revoked is left out, and what expired longer ago than the
configuration says under expiry.forget, 30 days at first. Probes of "kedge-ca aws up" are listed
with --kind probe alone.`,
		Example: `  kedge-ca expiring
  kedge-ca expiring --within 12h --kind leaf --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.within <= 0 {
				return cli.Usagef(cmd, "--within: %v must be positive", o.within)
			}
			if err := o.limit.check(cmd); err != nil {
				return err
			}
			if err := (&filterFlags{Filter: ledger.Filter{Kind: o.kind}}).check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	cmd.Flags().TextVar(&o.within, "within", ca.Duration(7*24*time.Hour), "`TIME` from now in which they expire, such as 12h or 30d")
	cmd.Flags().StringVar(&o.kind, "kind", "", "only those of the `KIND`: root, intermediate, leaf, server or probe")
	cmd.Flags().BoolVar(&o.replaced, "replaced", false, "all that are still valid, with or without a successor")
	o.limit.add(cmd)
	return cmd
}

func runExpiring(ctx context.Context, s *store, o *expiringOptions) error {
	now := o.inputs.Now()
	f := s.Expiry().Expired(now)
	if o.replaced {
		f = ledger.Filter{State: ledger.Valid}
	}
	f.Kind, f.NoProbes, f.ExpiresBefore = o.kind, o.kind == "", now.Add(time.Duration(o.within))
	return o.limit.listStored(ctx, s, f, o.output)
}
