package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"kedge/internal/cabackup"
	"kedge/internal/report"
)

type backupRestoreOptions struct {
	caOptions
	identity identityFlag
	file     string
}

func newBackupRestore(h host, run func(context.Context, *backupRestoreOptions) error) *cobra.Command {
	o := &backupRestoreOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "restore --identity <file> --dir <new> <backup>",
		Short: "Make the folder of a CA from a backup",
		Long: `Make the folder of a CA, with its ledger, from a backup, which is verified first. The folder must
not exist; it appears when it is complete, and nothing outside is changed. If kedge-ca.yaml places
the ledger outside the folder, such as in PostgreSQL, the folder has a copy for ledger restore.

What was issued and revoked after the backup is not in it. Put the newest list of each authority in
the place of that in crl/, and make new lists before hosts are served: the command says how.`,
		Example: `  kedge-ca backup restore --identity backup-key.txt --dir restored ca.age`,
		Args:    exactlyOne("give the backup: kedge-ca backup restore --identity FILE --dir NEW BACKUP", "restore one backup at a time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if err := o.identity.check(cmd, o.file); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.store.dir, "dir", "ca", "`PATH` of the folder to be made")
	o.output.add(cmd)
	o.identity.add(cmd)
	return cmd
}

func runBackupRestore(ctx context.Context, o *backupRestoreOptions) (err error) {
	b, closer, err := o.identity.open(o.host, o.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer()) }()
	restored, err := cabackup.Restore(ctx, b, o.store.local(o.host))
	if err != nil {
		return err
	}
	o.say(fmt.Sprintf("made %s from %s: the CA as it was at %s, entry %d of its ledger", restored.Dir, o.file, report.Time(restored.MadeAt), restored.Entries))
	for _, a := range restored.Authorities {
		if a.Key == cabackup.Elsewhere {
			o.warn(fmt.Sprintf("the key of %q was not in the backup: %s", a.Name, a.KeyURI))
		}
	}
	if restored.LedgerBackup != "" {
		o.say(fmt.Sprintf("the configuration places the ledger elsewhere; make it there: kedge-ca ledger restore %s --dir %s", restored.LedgerBackup, restored.Dir))
		return o.writeJSON(restored)
	}
	if err := reading(compareRestored)(ctx, o); err != nil {
		return err
	}
	return o.writeJSON(restored)
}

// compareRestored is compareLists for a folder that was made from a backup. The lists in it are as old as its ledger,
// so that comparing these finds nothing: first, newer ones have to take their place.
func compareRestored(ctx context.Context, s *store, o *backupRestoreOptions) error {
	o.say(fmt.Sprintf("what was revoked after the backup is in newer lists alone: put the newest list of each authority, from a server's /crl/NAME.crl or from AWS, into the place of %s", filepath.Join(o.store.dir, "crl", "NAME.der")))
	return o.compareLists(ctx, s)
}
