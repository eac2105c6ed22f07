package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type listOptions struct {
	caOptions
	filter filterFlags
	limit  int
}

// defaultLimit keeps the output short and quick, however large the ledger is.
const defaultLimit = 1000

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
			if o.limit < 0 {
				return cli.Usagef(cmd, "--limit: %d is negative; 0 lists all", o.limit)
			}
			if err := o.filter.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	o.filter.add(cmd)
	cmd.Flags().IntVar(&o.limit, "limit", defaultLimit, "`NUMBER` of certificates to list at most; 0 lists all")
	return cmd
}

func runList(ctx context.Context, s *store, o *listOptions) error {
	f, err := o.filter.resolve(ctx, s, o.inputs.Now())
	if err != nil {
		return err
	}
	return s.list(ctx, f, o.limit, o.output)
}

// list writes the certificates that match a filter, and warns if there are more.
func (s *store) list(ctx context.Context, f ledger.Filter, limit int, output outputFlags) error {
	if limit > 0 {
		f.Limit = limit + 1
	}
	more := false
	certs := report.Limit(limit, s.Ledger.List(ctx, f), func() { more = true })
	if err := s.host.writeCertificates(output, certs); err != nil {
		return err
	}
	if more {
		s.host.warn(fmt.Sprintf("there are more than these %d; narrow the filters, or raise --limit (0 lists all)", limit))
	}
	return nil
}
