package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/ca"
)

func TestOpen(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		_, err := Open(t.Context(), where, Options{Now: atNoon, AnyClock: true})
		if _, ok := errors.AsType[*MissingError](err); !ok {
			t.Errorf("a missing ledger: %v", err)
		}
		l := create(t, where)
		cert := newAuthority(t, "Test CA", nil).cert
		add(t, l, ca.Issued{Certificate: cert})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, err = Open(t.Context(), where, Options{Now: atNoon, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if got := found(t, l, Filter{}); fmt.Sprint(got) != "[Test CA]" {
			t.Errorf("read back: %v", got)
		}
		err = l.RecordIssued(t.Context(), ca.Issued{Certificate: cert, At: noon})
		if want := "write the ledger " + l.Where() + ": it was opened to only read"; fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

func TestOpen_newerSchema(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		if _, err := l.db.Exec("UPDATE kedge_schema SET version_id = 9 WHERE version_id = 1"); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), where, Options{Now: atNoon, Create: true})
		want := "the ledger " + l.Where() + " has schema 9, from a newer kedge-ca; this one knows schemas up to 4"
		if _, ok := errors.AsType[*NewerSchemaError](err); !ok || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// Making the tables was interrupted: the file is there, and nothing is in it.
func TestOpen_interrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{Now: atNoon, AnyClock: true})
	if missing, ok := errors.AsType[*MissingError](err); !ok || !missing.Empty {
		t.Errorf("an empty file: %v", err)
	}
	create(t, path)
}

func TestOpen_notALedger(t *testing.T) {
	dir := t.TempDir()
	text, other := filepath.Join(dir, "a%20?#.txt"), filepath.Join(dir, "other.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 99)), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	for path, want := range map[string]string{
		text:                          text + " is not a ledger: it is not an SQLite database",
		other:                         other + " is not a ledger: it holds the tables of another program",
		dir:                           dir + " is not a ledger: it is not a regular file",
		filepath.Join(dir, "no/l.db"): "make the ledger: open " + filepath.Join(dir, "no/l.db") + ": no such file or directory",
		"postgres://u:ge/heim@h/d":    "the address of the ledger is not one of PostgreSQL: it is written postgres://USER@HOST:PORT/DATABASE, with %XX for special characters of the password",
	} {
		_, err := Open(t.Context(), path, Options{Now: atNoon, Create: true})
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestOpen_mode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := create(t, path)
	add(t, l, ca.Issued{Certificate: newAuthority(t, "Test CA", nil).cert})
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("ledger.db%s: %v, %v", suffix, info.Mode(), err)
		}
	}
}

func TestRecordIssued_busy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := create(t, path)
	short, unlock := openLocked(t, l, path)
	cert := newAuthority(t, "Test CA", nil).cert
	err := short.RecordIssued(t.Context(), ca.Issued{Certificate: cert, At: noon})
	if _, ok := errors.AsType[*BusyError](err); !ok || err.Error() != "the ledger "+path+" is locked by another process, for more than 50ms" {
		t.Errorf("locked: %v", err)
	}
	if got := found(t, short, Filter{}); got != nil {
		t.Errorf("readers do not wait: %v", got)
	}
	unlock()
	add(t, short, ca.Issued{Certificate: cert})
}

func TestRecordIssued_full(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := create(t, path)
	root := newAuthority(t, "Test CA", nil)
	register(t, l, root)
	if _, err := l.writer.session.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil { // of the connection that writes
		t.Fatal(err)
	}
	var err error
	n := 1
	for ; err == nil && n < 1000; n++ {
		err = l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("web"), Issuer: root.cert, At: noon})
	}
	if err == nil || err.Error() != "write the ledger "+path+": no space left on device" {
		t.Fatalf("after %d: %v", n, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = create(t, path)
	if got, err := l.Count(t.Context(), Filter{}); got != int64(n-1) || err != nil {
		t.Errorf("%d certificates after %d were recorded, %v", got, n-1, err)
	}
	add(t, l, ca.Issued{Certificate: root.leaf("web")})
}

func TestOpen_unreachable(t *testing.T) {
	_, err := Open(t.Context(), "postgres://me:geheim@localhost:1/ledger", Options{Now: atNoon, AnyClock: true})
	_, ok := errors.AsType[*UnreachableError](err)
	if !ok || !strings.HasPrefix(err.Error(), "the ledger ledger of PostgreSQL at localhost:1 cannot be reached: ") || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, err := Open(t.Context(), filepath.Join("/proc", "ledger.db"), Options{Now: atNoon, Create: true}); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder that takes no files: %v", err)
	}
}

// What RecordIssued promises rests on these, whatever the server or the build of SQLite says.
func TestOpen_durable(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		questions := map[string]string{"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "2"}
		if isPostgres(where) {
			questions = map[string]string{"SHOW synchronous_commit": "on", "SHOW lock_timeout": "10s", "SHOW application_name": "kedge-ca"}
			configure(t, where, "synchronous_commit = off")
		}
		l := create(t, where)
		add(t, l, ca.Issued{Certificate: newAuthority(t, "Test CA", nil).cert})
		err := l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
			for question, want := range questions {
				var got string
				if err := tx.queryRow(ctx, question).Scan(&got); got != want || err != nil {
					t.Errorf("%s: %s, %v; want %s", question, got, err, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
