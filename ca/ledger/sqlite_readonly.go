package ledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// readOnlyFile opens connections to a file for processes that only read, also if no file can be
// created beside it: on a read-only mount, or in another user's folder.
//
// In write-ahead mode readers and the writer coordinate through the file -shm which part of -wal
// is valid and which part may be moved into the file itself. While a process has the ledger open,
// -shm and -wal exist, and SQLite can read with them even without permission to write to them.
// When the last process closes the ledger, everything is moved into the file, and both are
// removed. A process that cannot create them then reads the file alone, as no process writes it:
// SQLite calls that immutable, takes no lock and never looks for -wal.
//
// But a writer may start at any time. It first appends to -wal, and the file stays complete, in
// the state in which it was opened; when -wal is full, or at its end, it changes the file under
// the reader. So if the file has changed or -wal has content, an immutable connection is
// replaced before its next use by a new one that begins as above; and a row is returned only
// after a check that the file is unchanged since before it was opened. So all rows are of one
// state, and a query after a commit sees the commit.
//
// If -wal has content and SQLite cannot read it, the file alone would be an old state
// that lacks the newest revocations: that is an error.
//
// Source: SQLite, "Write-Ahead Logging", 5 "Read-Only Databases"; "URI Filenames".
type readOnlyFile struct {
	where string // as errors name it
	path  string
	uri   string // with mode=ro
}

func (f *readOnlyFile) Driver() driver.Driver { return &sqlite.Driver{} }

// Connect opens the file and reads from it, since SQLite notices only then that a file is missing.
func (f *readOnlyFile) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := f.open(ctx, "")
	if err == nil || !unshared(err) {
		return conn, err
	}
	return f.alone(ctx)
}

// alone opens the file without those beside it.
func (f *readOnlyFile) alone(ctx context.Context) (driver.Conn, error) {
	before, err := f.still()
	if errors.Is(err, fs.ErrPermission) {
		return nil, &AccessError{Where: f.where, Path: f.path}
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger %s: %w", f.where, err)
	}
	conn, err := f.open(ctx, "&immutable=1")
	if err != nil {
		return nil, err
	}
	return &stillConn{Conn: conn, file: f, before: before}, nil
}

func (f *readOnlyFile) open(ctx context.Context, how string) (driver.Conn, error) {
	conn, err := f.Driver().Open(f.uri + how)
	if err != nil {
		return nil, err
	}
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT count(*) FROM sqlite_master", nil)
	if err == nil {
		err = errors.Join(rows.Next(make([]driver.Value, 1)), rows.Close())
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// unshared reports whether SQLite lacks the files that readers and writers share, and cannot create
// them.
func unshared(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == sqlite3.SQLITE_CANTOPEN || e.Code()&0xff == sqlite3.SQLITE_READONLY)
}

// still describes the file, if it has the whole ledger. It stats the file first: if the content of
// -wal is moved into it later, that changes it.
func (f *readOnlyFile) still() (fs.FileInfo, error) {
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return nil, err
	}
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		info, err := os.Lstat(path + suffix)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return nil, &UnmovedError{Path: path + suffix}
	}
	return before, nil
}

// UnmovedError reports that the newest entries of a ledger are in a file beside it, which cannot be
// read without writing.
type UnmovedError struct{ Path string }

func (e *UnmovedError) Error() string {
	return fmt.Sprintf("the newest entries are in %s, which only a user who may write to its folder can read", e.Path)
}

// errMoved is returned if a writer changed the file while it was read without a lock.
var errMoved = errors.New("it was changed while it was read from where it cannot be locked; run the same again")

// stillConn is a connection to a file that must not change.
type stillConn struct {
	driver.Conn // of SQLite
	file        *readOnlyFile
	before      fs.FileInfo
}

// ResetSession is called before the pool reuses the connection.
func (c *stillConn) ResetSession(context.Context) error {
	if _, err := c.file.still(); err != nil || c.moved(nil) != nil {
		return driver.ErrBadConn
	}
	return nil
}

// moved returns errMoved if the file has changed, else err: SQLite's error would be about a mixture
// of states.
func (c *stillConn) moved(err error) error {
	now, statErr := os.Stat(c.file.path)
	if statErr != nil || !os.SameFile(now, c.before) || now.Size() != c.before.Size() || !now.ModTime().Equal(c.before.ModTime()) {
		return fmt.Errorf("read the ledger %s: %w", c.file.where, errMoved)
	}
	return err
}

// ExecContext is used for the begin and the end of a transaction, and for a backup.
func (c *stillConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
	return result, c.moved(err)
}

// QueryContext returns rows that are checked one by one.
func (c *stillConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
	if err != nil {
		return nil, c.moved(err)
	}
	return &stillRows{Rows: rows, conn: c}, nil
}

type stillRows struct {
	driver.Rows
	conn *stillConn
}

// Next returns a row only if the file is unchanged after reading it.
func (r *stillRows) Next(row []driver.Value) error { return r.conn.moved(r.Rows.Next(row)) }
