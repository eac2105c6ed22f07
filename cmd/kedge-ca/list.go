package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type listOptions struct {
	caOptions
	filter filterFlags
	limit  limitFlag
}

func newList(h host, run func(context.Context, *listOptions) error) *cobra.Command {
	o := &listOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List certificates",
		Long: `List the certificates of the ledger, as a table, JSON or CSV. They come in the order in
which they were issued; with a filter by expiry or by the states valid, expired or pending in
the order in which they end, and with a pattern by the names that match.`,
		Example: `  kedge-ca list
  kedge-ca list --state valid --host 'web-*' --json
  kedge-ca list --kind leaf --expires-before 7d --unreplaced --csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.limit.check(cmd); err != nil {
				return err
			}
			if err := o.filter.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	o.filter.add(cmd)
	o.limit.add(cmd)
	return cmd
}

func runList(ctx context.Context, s *store, o *listOptions) error {
	f, err := o.filter.resolve(ctx, s, o.inputs.Now())
	if err != nil {
		return err
	}
	return o.limit.list(ctx, s, f, o.output)
}

// limitFlag is how many certificates are listed at most.
type limitFlag struct{ n int }

// defaultLimit keeps the output short and quick, however large the ledger is.
const defaultLimit = 1000

func (f *limitFlag) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.n, "limit", defaultLimit, "`NUMBER` of certificates to list at most; 0 lists all")
}

func (f *limitFlag) check(cmd *cobra.Command) error {
	if f.n < 0 {
		return cli.Usagef(cmd, "--limit: %d is negative; 0 lists all", f.n)
	}
	return nil
}

// list writes the certificates that match a filter, and warns if there are more.
func (f *limitFlag) list(ctx context.Context, s *store, filter ledger.Filter, output outputFlags) error {
	if f.n > 0 {
		filter.Limit = f.n + 1
	}
	more := false
	certs := report.Limit(f.n, s.Ledger.List(ctx, filter), func() { more = true })
	if err := certinfo.Listing().Write(s.host.Out, output.format(), certinfo.Certificates(certs, output.format(), s.host.inputs.Now())); err != nil {
		return err
	}
	if more {
		s.host.warn(fmt.Sprintf("there are more than these %d; narrow the filters, or raise --limit (0 lists all)", f.n))
	}
	return nil
}
