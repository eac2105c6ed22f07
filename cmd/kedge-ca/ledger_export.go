package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

type ledgerExportOptions struct {
	caOptions
	filter filterFlags
}

func newLedgerExport(h host, run func(context.Context, *ledgerExportOptions) error) *cobra.Command {
	o := &ledgerExportOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all certificates of the ledger as JSON or CSV",
		Long: `Write the certificates of the ledger to standard output, all of those that the filters mean.
JSON, which is written unless --csv is given, holds everything, the certificates themselves
too, each on a line of its own. CSV is for spreadsheets: a cell that they would take for a
formula begins with a '.`,
		Example: `  kedge-ca ledger export --csv
  kedge-ca ledger export --issued-after 2026-01-01 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.filter.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	o.filter.add(cmd)
	return cmd
}

func runLedgerExport(ctx context.Context, s *store, o *ledgerExportOptions) error {
	f, err := o.filter.resolve(ctx, s, o.inputs.Now())
	if err != nil {
		return err
	}
	format := ledger.JSON
	if o.output.csv {
		format = ledger.CSV
	}
	return report.WhenWhole(o.Out, func(w io.Writer) error { return s.Ledger.Export(ctx, w, format, f) })
}
