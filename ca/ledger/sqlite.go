package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens the file in write-ahead mode: readers and one writer do not wait for each other,
// in whatever process they are. A commit is on disk when it returns, since synchronous is FULL by
// default.
//
// Source: SQLite, "Write-Ahead Logging"; "PRAGMA synchronous".
func openSQLite(path string, o Options) (*sql.DB, *engine, error) {
	if err := sqliteFile(path, o); err != nil {
		return nil, nil, err
	}
	whole, err := filepath.Abs(path) // SQLite interprets some relative paths differently, such as :memory:
	if err != nil {
		return nil, nil, fmt.Errorf("open the ledger %s: %w", path, err)
	}
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(whole))
	uri := fmt.Sprintf("file:%s?_error_rc=1&_pragma=busy_timeout(%d)&_pragma=wal_autocheckpoint(4000)&_pragma=trusted_schema(0)&mode=",
		name, o.BusyTimeout.Milliseconds())
	var db *sql.DB
	if o.ReadOnly {
		db = sql.OpenDB(&readOnlyFile{where: path, path: whole, uri: uri + "ro"})
	} else if db, err = sql.Open("sqlite", uri+"rw&_pragma=cache_size(-8000)"); err != nil { // to read, the usual 2 MB suffice: more would only take time to allocate
		return nil, nil, err
	}
	db.SetMaxIdleConns(4)
	return db, sqliteEngine(path, o.BusyTimeout), nil
}

// sqliteFile creates the file if requested, before SQLite would with a mode by the umask: what a CA
// has issued is not public. The files beside it (-wal, -shm) get its mode from SQLite.
func sqliteFile(path string, o Options) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return &ForeignError{Where: path, Why: "it is not a regular file"}
	case err == nil && info.Size() == 0 && !o.Create:
		return &MissingError{Where: path, Empty: true}
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return &AccessError{Where: path, Path: path}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open the ledger: %w", err)
	case !o.Create:
		return &MissingError{Where: path}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return fmt.Errorf("make the ledger: %w", err)
	}
	return f.Close()
}

func sqliteEngine(path string, busy time.Duration) *engine {
	e := &engine{
		where: path,
		goose: goose.DialectSQLite3,
		schema: strings.NewReplacer("{seq}", "INTEGER", "{text}", "TEXT", "{bytes}", "BLOB", "{none}", "x''", "{clustered}", "WITHOUT ROWID", "{seq too}", "",
			"{hex c.fingerprint}", "lower(hex(c.fingerprint))", "{json e.body}", "e.body"),
		writeMode:  "PRAGMA journal_mode = WAL",
		begin:      "BEGIN IMMEDIATE",
		head:       "SELECT seq, hash, at, 0, 0 FROM head",
		joined:     "JOIN certificates c ON c.fingerprint = a.fingerprint",
		snapshot:   "BEGIN",
		match:      "GLOB",
		pattern:    func(p string) string { return strings.NewReplacer("?", "[?]", "[", "[[]").Replace(p) },
		hints:      true,
		absent:     func(err error) bool { return err != nil && strings.Contains(err.Error(), "no such table") },
		explain:    func(err error) error { return explainSQLite(err, path, busy) },
		tables:     "SELECT count(*) FROM sqlite_master",
		backup:     "VACUUM INTO ?",
		checkpoint: "PRAGMA wal_checkpoint(PASSIVE)",
		integrity:  "PRAGMA integrity_check",
		objects:    readSQLite,
		send:       sendSQLite,
		ask:        askInTurn,
	}
	e.expected = func(ctx context.Context) ([]object, error) { return expectedSQLite(ctx, e) }
	e.migrate = func(ctx context.Context, db *sql.DB) error {
		if _, err := db.ExecContext(ctx, e.writeMode); err != nil {
			return err
		}
		return migrate(ctx, db, e)
	}
	return e
}

// leaveWAL makes a closed ledger one file, which can be read where no file can be created beside
// it.
func leaveWAL(ctx context.Context, path string) error {
	db, e, err := openSQLite(path, Options{})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = DELETE")
	return errors.Join(e.explain(err), db.Close())
}

// sendSQLite runs the statements one by one, without database/sql, whose conversions cost as much
// as small statements. It ignores the context: SQLite would start a goroutine for each statement to
// watch it.
func sendSQLite(_ context.Context, s *session, all []statement) ([]int64, error) {
	changed := make([]int64, len(all))
	err := s.conn.Raw(func(dc any) error {
		var args []driver.NamedValue
		for i, one := range all {
			stmt, err := s.prepare(dc, one.text)
			if err != nil {
				return err
			}
			args = args[:0]
			for n, v := range one.args {
				args = append(args, driver.NamedValue{Ordinal: n + 1, Value: v})
			}
			if one.isQuery() {
				if changed[i], err = countRows(stmt, args); err != nil {
					return err
				}
				continue
			}
			result, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), args)
			if err != nil {
				return err
			}
			if changed[i], err = result.RowsAffected(); err != nil {
				return err
			}
		}
		return nil
	})
	return changed, err
}

// countRows runs a SELECT and counts its rows.
func countRows(stmt driver.Stmt, args []driver.NamedValue) (n int64, err error) {
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(context.Background(), args)
	if err != nil {
		return 0, err
	}
	row := make([]driver.Value, len(rows.Columns()))
	for err = rows.Next(row); err == nil; err = rows.Next(row) {
		n++
	}
	if err == io.EOF {
		err = nil
	}
	return n, errors.Join(err, rows.Close())
}

func (s *session) prepare(dc any, text string) (driver.Stmt, error) {
	if stmt, ok := s.prepared[text]; ok {
		return stmt, nil
	}
	stmt, err := dc.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
	if err == nil {
		s.prepared[text] = stmt
	}
	return stmt, err
}

// explainSQLite translates a result code.
//
// Source: SQLite, "Result and Error Codes".
func explainSQLite(err error, path string, busy time.Duration) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	if e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE { // the shared memory file beside it
		return fmt.Errorf("open the ledger %s and the files beside it (-wal, -shm): %w", path, syscall.ENOSPC)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &BusyError{Where: path, Waited: busy}
	case sqlite3.SQLITE_NOTADB:
		return &ForeignError{Where: path, Why: "it is not an SQLite database"}
	case sqlite3.SQLITE_CORRUPT:
		return &BrokenError{Where: path, Err: err}
	case sqlite3.SQLITE_ERROR: // "SQL logic error: no such table: names (1)"
		_, why, _ := strings.Cut(strings.TrimSuffix(err.Error(), " (1)"), ": ")
		if strings.HasPrefix(why, "no such ") {
			return &BrokenError{Where: path, Err: errors.New(why)}
		}
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("write the ledger %s: %w", path, syscall.ENOSPC)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return &AccessError{Where: path, Path: path, Write: true}
	case sqlite3.SQLITE_CANTOPEN:
		if err := tryOpen(path, os.O_RDONLY); errors.Is(err, fs.ErrPermission) {
			return &AccessError{Where: path, Path: path}
		} else if err != nil {
			return fmt.Errorf("open the ledger: %w", err)
		}
		if tryOpen(path, os.O_RDWR) != nil {
			return &AccessError{Where: path, Path: path, Write: true}
		}
		return fmt.Errorf("open the ledger %s, or make what is needed beside it (-wal, -shm): %w", path, err)
	}
	return fmt.Errorf("the ledger %s: %w", path, err)
}

func tryOpen(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
