package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// OpenBackup opens a ledger to read it, such as a file that [Ledger.Backup] wrote, also one with an
// older schema. Of a file with an older schema it reads a migrated copy in a folder for this user
// only, which Close removes: the backup is not changed. A ledger on a server with an older schema
// is an *OlderSchemaError, and if there is none, the error is a *MissingError with Backup set.
//
// o.Create and o.ReadOnly are ignored.
func OpenBackup(ctx context.Context, where string, o Options) (*Ledger, error) {
	o.Create, o.ReadOnly = false, true
	l, err := Open(ctx, where, o)
	if missing, ok := errors.AsType[*MissingError](err); ok {
		missing.Backup = true
	}
	if _, older := errors.AsType[*OlderSchemaError](err); !older || isPostgres(where) {
		return l, err
	}
	dir, err := os.MkdirTemp("", "kedge-ledger-*") // 0700
	if err != nil {
		return nil, fmt.Errorf("read the ledger %s, of an older schema, from a copy: %w", where, err)
	}
	l, err = openCopy(ctx, where, filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the ledger %s, of an older schema, from a copy: %w", where, err), os.RemoveAll(dir))
	}
	l.engine.where, l.copyDir = where, dir
	return l, nil
}

// openCopy copies a file and opens the migrated copy.
func openCopy(ctx context.Context, from, to string, o Options) (*Ledger, error) {
	db, e, err := openSQLite(from, o)
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, e.backup, to)
	if err := errors.Join(e.explain(err), db.Close()); err != nil {
		return nil, err
	}
	o.ReadOnly = false
	l, err := Open(ctx, to, o)
	if err != nil {
		return nil, err
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	o.ReadOnly = true
	return Open(ctx, to, o)
}
