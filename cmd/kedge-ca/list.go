package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

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

	archived bool // those of the archive as well
	archive  archiveFlag
}

func newList(h host, run func(context.Context, *listOptions) error) *cobra.Command {
	o := &listOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List certificates",
		Long: `List the certificates of the ledger, as a table, JSON or CSV. They come in the order in
which they were issued; with a filter by expiry or by the states valid, expired or pending in
the order in which they end, and with a pattern by the names that match. With --archive those that
were archived come last.`,
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
	cmd.Flags().BoolVar(&o.archived, "archive", false, "list what was archived as well")
	o.archive.add(cmd)
	return cmd
}

func runList(ctx context.Context, s *store, o *listOptions) error {
	f, err := o.filter.resolve(ctx, s, o.inputs.Now())
	if err != nil {
		return err
	}
	if !o.archived {
		return o.limit.listStored(ctx, s, f, o.output)
	}
	var incomplete error
	certs := s.ListArchive(ctx, f, o.archive.dir, func(err error) { incomplete = cmp.Or(incomplete, err) })
	return errors.Join(o.limit.list(s, certs, o.output), incomplete)
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

// listStored writes the certificates of the database that match a filter.
func (f *limitFlag) listStored(ctx context.Context, s *store, filter ledger.Filter, output outputFlags) error {
	if f.n > 0 {
		filter.Limit = f.n + 1
	}
	return f.list(s, s.Ledger.List(ctx, filter), output)
}

// list writes certificates up to the limit, and warns if there are more.
func (f *limitFlag) list(s *store, all iter.Seq2[ledger.Certificate, error], output outputFlags) error {
	more := false
	certs := report.Limit(f.n, all, func() { more = true })
	if err := certinfo.Listing().Write(s.host.Out, output.format(), certinfo.Certificates(certs, output.format(), s.host.inputs.Now())); err != nil {
		return err
	}
	if more {
		s.host.warn(fmt.Sprintf("there are more than these %d; narrow the filters, or raise --limit (0 lists all)", f.n))
	}
	return nil
}
