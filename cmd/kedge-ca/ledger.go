package main

import "github.com/spf13/cobra"

// newLedger returns the command with the subcommands about the ledger as a whole.
func newLedger(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Verify, export, archive, back up and restore the ledger, and take in what was issued before it",
		Example: `  kedge-ca ledger verify
  kedge-ca ledger backup kedge-ca.db`,
	}
	cmd.AddCommand(
		newLedgerVerify(h.reader(), runLedgerVerify),
		newLedgerExport(h.reader(), reading(runLedgerExport)),
		newLedgerArchive(h, changing(runLedgerArchive)),
		newLedgerBackup(h, reading(runLedgerBackup)),
		newLedgerRestore(h, runLedgerRestore),
		newLedgerImport(h, changing(runLedgerImport)),
	)
	return cmd
}
