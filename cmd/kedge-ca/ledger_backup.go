package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

type ledgerBackupOptions struct {
	caOptions
	file string
}

func newLedgerBackup(h host, run func(context.Context, *ledgerBackupOptions) error) *cobra.Command {
	o := &ledgerBackupOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "backup <file>",
		Short: "Copy the ledger to a file, while others use it",
		Long: `Copy the ledger to a new file, mode 0600, as it is at one moment, while others go on to
write. The copy is a SQLite ledger, from PostgreSQL too. It holds no keys: back up ca.key
apart.`,
		Example: `  kedge-ca ledger backup kedge-ca.db`,
		Args:    exactlyOne("give the file to be made: kedge-ca ledger backup FILE", "a backup is one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	return cmd
}

func runLedgerBackup(ctx context.Context, s *store, o *ledgerBackupOptions) error {
	if err := s.Ledger.Backup(ctx, o.file); err != nil {
		return err
	}
	made, err := ledger.ReadBackupInfo(ctx, o.file, ledger.Options{Now: o.inputs.Now})
	if err != nil {
		return err
	}
	o.say(fmt.Sprintf("wrote %s: the ledger up to entry %d, of %s", o.file, made.Seq, report.Time(made.At)))
	return o.writeJSON(made)
}
