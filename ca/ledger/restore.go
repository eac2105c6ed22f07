package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kedge/ca"
)

// NotEmptyError reports that a restore would overwrite something.
type NotEmptyError struct {
	Where   string
	Entries int64
}

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("the ledger %s is not empty: it has %d entries", e.Where, e.Entries)
}

// Restore creates a new ledger at to, of either engine, from another one: a backup, or the ledger
// of another engine to move from. A source with an older schema is read as [OpenBackup] does. The
// source is verified first, with the segments of its archive, in a folder; if it was changed, the error is a
// *DamagedError. A ledger can be restored when segments are lost: report.Faults then has those, and what follows
// from them was not checked. A target that contains
// anything is a *NotEmptyError. A new file appears complete, and an existing empty target is filled
// in one transaction: after an interruption it is as empty as before, or does not exist. The new ledger
// gets an entry about the restore, from which on tokens that were made before are void, and lists count as
// not compared: see [Ledger.Uncompared].
//
// o.Create and o.ReadOnly are ignored.
func Restore(ctx context.Context, from, to, archive string, o Options) (report Report, err error) {
	source, err := OpenBackup(ctx, from, Options{Now: o.Now, BusyTimeout: o.BusyTimeout})
	if err != nil {
		return report, fmt.Errorf("restore from %w", err)
	}
	err = source.read(ctx, func(s *session) error {
		v := newVerifier()
		v.session, v.archive.dir = s, archive
		if err := v.run(ctx); err != nil {
			return err
		}
		report = v.report
		if damaged, ok := errors.AsType[*DamagedError](report.Err(source.Where())); ok {
			return damaged
		}
		return fillNew(ctx, s, to, o)
	})
	return report, errors.Join(err, source.Close())
}

// fillNew creates a ledger and fills it.
func fillNew(ctx context.Context, from *session, to string, o Options) error {
	if _, err := os.Lstat(to); !isPostgres(to) && errors.Is(err, fs.ErrNotExist) {
		err := newFile(to, func(hidden string) error { return fillFile(ctx, from, hidden, o, true) })
		if err != nil {
			err = fmt.Errorf("make the ledger %s: %w", to, err)
		}
		return err
	}
	o.Create, o.ReadOnly = true, false
	target, err := Open(ctx, to, o)
	if err == nil {
		err = errors.Join(target.fill(ctx, from, true), target.Close())
	}
	return err
}

// restoreBody is the entry of a restore.
type restoreBody struct {
	Tokens int64 `json:"tokens"` // how many are void from now on
}

const (
	lastRestore = "SELECT coalesce(max(seq), 0) FROM entries WHERE kind = 'restore' AND kind <> 'issue'" // by the index of other entries
	lastList    = "SELECT coalesce(max(seq), 0) FROM crls WHERE issuer_key = ? AND base = 0"
)

// Uncompared returns those of some authorities for which no complete list was made since the ledger was
// restored. Their last published list may have revocations that the ledger lacks: the next list is made only
// after the two were compared.
func (l *Ledger) Uncompared(ctx context.Context, authorities []Authority) (uncompared []Authority, err error) {
	err = l.read(ctx, func(s *session) error {
		var restored int64
		if err := s.queryRow(ctx, lastRestore).Scan(&restored); err != nil || restored == 0 {
			return err
		}
		for _, a := range authorities {
			var made int64
			key := ca.KeyHash(a.Certificate)
			if err := s.queryRow(ctx, lastList, key[:]).Scan(&made); err != nil {
				return err
			}
			if made < restored {
				uncompared = append(uncompared, a)
			}
		}
		return nil
	})
	return uncompared, l.engine.explain(err)
}

// fill copies all rows into an empty ledger, in one transaction. In one that is restored, the tokens
// are void, since the copy does not know what they were used for after it was made.
func (l *Ledger) fill(ctx context.Context, from *session, restored bool) error {
	return l.alone(ctx, func(_ context.Context, t *transaction) error {
		if t.seq != 0 {
			return &NotEmptyError{Where: l.Where(), Entries: t.seq}
		}
		for _, table := range copiedTables() {
			if err := t.copy(ctx, from, table); err != nil {
				return err
			}
		}
		var at int64
		err := from.queryRow(ctx, "SELECT seq, hash, at FROM head").Scan(&t.seq, &t.hash, &at)
		t.at = time.UnixMicro(at).UTC()
		if err != nil || !restored {
			return err
		}
		return t.recordRestore(ctx)
	})
}

// recordRestore writes the entry of a restore, and makes all tokens void that are not revoked. In a ledger
// without entries there is nothing to record.
func (t *transaction) recordRestore(ctx context.Context) error {
	if t.seq == 0 {
		return nil
	}
	const open = "revoked_at IS NULL AND void_seq IS NULL"
	var n int64
	if err := t.queryRow(ctx, "SELECT count(*) FROM tokens WHERE "+open).Scan(&n); err != nil {
		return err
	}
	seq, err := t.append(ctx, kindRestore, restoreBody{n})
	if n == 0 || err != nil {
		return err
	}
	return t.send(ctx, statement{"UPDATE tokens SET void_seq = ? WHERE " + open, []any{seq}, n})
}

// copy copies the rows of a table.
func (t *transaction) copy(ctx context.Context, from *session, table table) error {
	var rows []statement
	insert, size := table.insert(), 0
	flush := func() error {
		err := t.send(ctx, rows...)
		rows, size = rows[:0], 0
		return errors.Join(err, ctx.Err())
	}
	err := table.rows(ctx, from, "", nil, func(row []any) error {
		rows = append(rows, one(insert, row...))
		if size += weight(row); len(rows) < page && size < pageBytes {
			return nil
		}
		return flush()
	})
	if err != nil {
		return from.e.explain(err)
	}
	return flush()
}
