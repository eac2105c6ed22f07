package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Backup writes a copy to a new file, always a SQLite ledger, from either engine: one state, while
// other processes write. It appears complete, with mode 0600; after an error it does not exist. If
// path exists, the error wraps fs.ErrExist.
//
// The copy can be opened as it is, or given to [Restore].
func (l *Ledger) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "back up to", Path: path, Err: fs.ErrExist}
	}
	err := newFile(path, func(hidden string) error { return l.copyTo(ctx, hidden) })
	if unmade, ok := errors.AsType[*unmadeError](err); ok {
		return &fs.PathError{Op: "back up to", Path: path, Err: unmade.error}
	}
	if err != nil {
		return fmt.Errorf("back up the ledger %s to %s: %w", l.Where(), path, err)
	}
	return nil
}

// copyTo copies the ledger to an empty file.
func (l *Ledger) copyTo(ctx context.Context, path string) error {
	if l.engine.backup == "" {
		return l.read(ctx, func(s *session) error { return fillFile(ctx, s, path, Options{Now: l.now}, false) })
	}
	whole, err := filepath.Abs(path) // as in openSQLite
	if err != nil {
		return err
	}
	_, err = l.db.ExecContext(ctx, l.engine.backup, whole)
	return l.engine.explain(err)
}

// fillFile makes an empty file a ledger, in one transaction. restored voids tokens: see fill.
func fillFile(ctx context.Context, from *session, path string, o Options, restored bool) error {
	o.Create, o.ReadOnly = true, false
	l, err := Open(ctx, path, o)
	if err != nil {
		return err
	}
	if err := errors.Join(l.fill(ctx, from, restored), l.Close()); err != nil {
		return err
	}
	return leaveWAL(ctx, path)
}

// unmadeError reports that no file can be created in a folder.
type unmadeError struct{ error }

// newFile creates a ledger file with a new name: f fills a hidden file beside it, which is then
// renamed. An interruption leaves nothing, or by kill -9 the hidden file.
func newFile(path string, f func(hidden string) error) error {
	for _, suffix := range []string{"-wal", "-journal"} {
		if info, err := os.Lstat(path + suffix); err == nil && info.Size() > 0 { // read-only users leave empty ones
			return fmt.Errorf("%s is there, left by a ledger that is gone, and SQLite would take it for a part of the new one; move it away: %w", path+suffix, fs.ErrExist)
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return &unmadeError{errors.Unwrap(err)}
	}
	hidden := tmp.Name()
	if err = tmp.Close(); err == nil {
		err = f(hidden)
	}
	if err == nil {
		err = publish(hidden, path)
	}
	if remove := removeLedger(hidden); err == nil {
		err = remove
	}
	return err
}

// publish syncs a file and renames it to a name that must not exist.
func publish(hidden, path string) error {
	f, err := os.OpenFile(hidden, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(hidden, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fs.ErrExist
		}
		if err := os.Rename(hidden, path); err != nil { // no hard links on this file system
			return err
		}
	}
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// removeLedger removes a file and those that SQLite puts beside it, if they exist.
func removeLedger(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
