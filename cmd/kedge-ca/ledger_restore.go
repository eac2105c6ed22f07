package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/config"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type ledgerRestoreOptions struct {
	caOptions
	confirm confirmFlag
	another bool // the backup may be of another CA
	file    string
	archive archiveFlag
}

func newLedgerRestore(h host, run func(context.Context, *ledgerRestoreOptions) error) *cobra.Command {
	o := &ledgerRestoreOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "restore <backup>",
		Short: "Make the ledger of a CA that lost it from a backup",
		Long: `Make the ledger of a CA from a backup, which is verified first, or move it to where the
configuration says, such as a PostgreSQL database. There must be no ledger yet.

What was issued and revoked after the backup is not in it: certificates of that time cannot
be found or revoked, and those revoked count as valid. It needs a yes on the terminal or
--yes. A backup of another CA than that of the files in the folder is refused.

The segments of its archive are verified with it. Without one of them the ledger is restored all
the same, with a warning.`,
		Example: `  kedge-ca ledger restore kedge-ca.db --yes`,
		Args:    exactlyOne("give the backup: kedge-ca ledger restore FILE", "a backup is one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.confirm.add(cmd)
	o.archive.add(cmd)
	cmd.Flags().BoolVar(&o.another, "another-ca", false, "take a backup of another CA than that of the files in the folder")
	return cmd
}

func runLedgerRestore(ctx context.Context, o *ledgerRestoreOptions) error {
	if err := config.CheckFolder("dir", o.store.dir); err != nil {
		return err
	}
	plan, err := localca.PlanRestore(ctx, o.store.local(o.host), o.file, o.another)
	if err != nil {
		return err
	}
	from := plan.Backup
	question := fmt.Sprintf("make the ledger from %s, as it was at %s (entry %d), without what was issued and revoked since?", o.file, report.Time(from.At), from.Seq)
	if err := o.confirm.ask(o.host, question); err != nil {
		return err
	}
	if err := plan.Restore(ctx, o.archive.dir); err != nil {
		return err
	}
	o.say(fmt.Sprintf("made the ledger from %s: entries up to %d, of %s", o.file, from.Seq, report.Time(from.At)))
	if err := reading(compareRestoredLedger)(ctx, o); err != nil {
		return err
	}
	return o.writeJSON(from)
}

func compareRestoredLedger(ctx context.Context, s *store, o *ledgerRestoreOptions) error {
	return o.compareLists(ctx, s)
}

// compareLists reports what the last CRLs in the folder have and the backup lacks.
func (o *caOptions) compareLists(ctx context.Context, s *store) error {
	lists, err := s.WarnRestored(ctx)
	if err != nil {
		return err
	}
	if lists > 0 {
		o.say("take what is revoked since into the ledger, make new lists, and import them: kedge-ca crl --take-list")
		return nil
	}
	o.say("make new lists of what is revoked, and import them: kedge-ca crl")
	return nil
}
