package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type ledgerArchiveOptions struct {
	caOptions
	before moment
	to     string // empty: the folder archive/ of the CA

	replaceLost bool
}

func newLedgerArchive(h host, run func(context.Context, *ledgerArchiveOptions) error) *cobra.Command {
	o := &ledgerArchiveOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "archive --before <time>",
		Short: "Move what has expired and was superseded out of the database",
		Long: `Move the certificates that expired before a time out of the database, into signed and
compressed files (segments) in the folder archive/ of the CA, or in that of --to. Servers go on
meanwhile, and the space is used again for what is issued next.

What still matters stays: certificates that were revoked, the newest of each host, and the last
of each name. The ledger records each segment, and verify, who and list --archive read them: back
them up as you do the ledger, and keep them together. After an interruption run the same again.

If the file of a segment was lost before anything of it left the database, --replace-lost writes
another in its place. What has left is only in its file, which must be put back from a backup.`,
		Example: `  kedge-ca ledger archive --before 30d
  kedge-ca ledger archive --before 2026-10-01 --to /srv/archive`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.before.text == "" {
				return cli.Usagef(cmd, "give --before: what expired before that time is archived")
			}
			if o.before.time(o.inputs.Now()).After(o.inputs.Now()) {
				return cli.Usagef(cmd, "--before: %s is in the future; only what has expired can be archived", o.before.text)
			}
			if err := config.CheckNewFolder("to", o.to); o.to != "" && err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.before.ago = true
	o.addKeys(cmd)
	cmd.Flags().Var(&o.before, "before", "archive what expired before the `TIME`: 2026-12-31, 2026-12-31T12:00:00Z, or 30d for 30 days ago")
	cmd.Flags().StringVar(&o.to, "to", "", "`FOLDER` of the segments; archive/ in the CA's folder when not given")
	cmd.Flags().BoolVar(&o.replaceLost, "replace-lost", false, "write another segment in the place of one that is missing or damaged, if nothing of it has left the database")
	return cmd
}

func runLedgerArchive(ctx context.Context, s *store, o *ledgerArchiveOptions) error {
	done, err := s.Archive(ctx, localca.ArchiveRequest{Before: o.before.time(o.inputs.Now()), Dir: o.to, ReplaceLost: o.replaceLost})
	if done != nil && (err == nil || len(done.Segments) > 0) {
		o.sayArchived(done)
	}
	if err != nil {
		return err
	}
	return o.writeJSON(done)
}

func (o *ledgerArchiveOptions) sayArchived(done *localca.Archived) {
	for _, path := range done.Segments {
		o.say("wrote " + path)
	}
	o.say(fmt.Sprintf("archived %s that expired before %s", report.Count(int(done.Certificates), "certificate"), report.Time(done.Before)))
}

// archiveFlag is where the segments of the archive are.
type archiveFlag struct{ dir string }

func (f *archiveFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "segments", "", "`FOLDER` of the archive's segments; archive/ in the CA's folder when not given")
}
