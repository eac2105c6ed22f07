package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

type ledgerBackupOptions struct {
	host
	store  storeFlags
	output outputFlags
	file   string
}

func newLedgerBackup(h host, run func(context.Context, *ledgerBackupOptions) error) *cobra.Command {
	o := &ledgerBackupOptions{host: h}
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
	o.store.addFolder(cmd)
	o.output.add(cmd)
	return cmd
}

// snapshot is a copy of a ledger and how far it goes.
type snapshot struct {
	File string    `json:"file"`
	Seq  int64     `json:"seq"` // of the last entry; 0 when there is none
	At   time.Time `json:"at"`  // of the last entry
	Head string    `json:"head"`
}

func runLedgerBackup(ctx context.Context, o *ledgerBackupOptions) (err error) {
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	if err := s.ledger.Backup(ctx, o.file); err != nil {
		return err
	}
	made, err := o.look(ctx, o.file)
	if err != nil {
		return err
	}
	o.say(fmt.Sprintf("wrote %s: the ledger up to entry %d, of %s", o.file, made.Seq, rfc3339(made.At)))
	if o.output.json {
		return report.WriteJSON(o.Out, made)
	}
	return nil
}

// noBackupError says that a file that was named is not there, or empty.
type noBackupError struct{ *ledger.MissingError }

func (e *noBackupError) Unwrap() error { return e.MissingError }

// openBackup opens the ledger in a file that was named.
func (h host) openBackup(ctx context.Context, file string) (*ledger.Ledger, error) {
	l, err := ledger.OpenBackup(ctx, file, ledger.Options{Now: h.inputs.Now})
	if missing, ok := errors.AsType[*ledger.MissingError](err); ok {
		return nil, &noBackupError{missing}
	}
	return l, err
}

// look reads how far the ledger in a file goes.
func (h host) look(ctx context.Context, file string) (*snapshot, error) {
	l, err := h.openBackup(ctx, file)
	if err != nil {
		return nil, err
	}
	found, err := snapshotOf(ctx, l, file)
	return found, errors.Join(err, l.Close())
}

func snapshotOf(ctx context.Context, l *ledger.Ledger, file string) (*snapshot, error) {
	seq, hash, err := l.Head(ctx)
	if err != nil {
		return nil, err
	}
	found := &snapshot{File: file, Seq: seq, Head: fmt.Sprintf("%d:%x", seq, hash)}
	for e, err := range l.Entries(ctx, seq-1) {
		if err != nil {
			return nil, err
		}
		found.At = e.At
	}
	return found, nil
}
