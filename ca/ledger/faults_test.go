package ledger

import (
	"context"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// What takes longer than a step of a transaction may, as restoring a large ledger does, is
// committed all the same.
func TestAlone_longerThanStep(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		l.writer.timeout = time.Second / 2
		r := recordOf(t, newAuthority(t, "Test CA", nil).cert)
		err := l.alone(t.Context(), func(step context.Context, tx *transaction) error {
			<-step.Done()
			issuers, err := tx.issuers(t.Context())
			if err == nil {
				_, err = issuers.of(r)
			}
			if err != nil {
				return err
			}
			all, _, err := r.statements(tx, kindIssue)
			if err != nil {
				return err
			}
			return tx.send(t.Context(), all...)
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := verify(t, l, ""); !r.OK() || r.Certificates != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// A server whose transactions are serializable by default refuses those that waited.
func TestRecordIssued_strictServer(t *testing.T) {
	where := testenv.Postgres(t) + "&default_transaction_isolation=serializable"
	root := newAuthority(t, "Test CA", nil)
	register(t, create(t, where), root)
	var group sync.WaitGroup
	for range 3 {
		l := create(t, where)
		group.Go(func() {
			for range 15 {
				if err := l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("web"), Issuer: root.cert, At: noon}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if r := verify(t, create(t, where), ""); !r.OK() || r.Certificates != 46 {
		t.Errorf("%+v", r)
	}
}

// After a failover the name may lead to a server that only reads. Its connection is given up,
// so that the next call finds the one that writes.
func TestRecordIssued_standby(t *testing.T) {
	l := create(t, testenv.Postgres(t))
	root := newAuthority(t, "Test CA", nil)
	register(t, l, root)
	if _, err := l.writer.session.conn.ExecContext(t.Context(), "SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	add(t, l, ca.Issued{Certificate: root.leaf("a")})
	if _, err := l.writer.session.conn.ExecContext(t.Context(), "ALTER DATABASE "+databaseOf(t, l)+" SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	l.writer.drop()
	l.db.SetMaxIdleConns(0)
	err := l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("b"), Issuer: root.cert, At: noon})
	if _, ok := errors.AsType[*RefusedError](err); !ok || !strings.HasSuffix(err.Error(), "cannot execute SELECT FOR UPDATE in a read-only transaction") {
		t.Errorf("%v", err)
	}
}

func databaseOf(t *testing.T, l *Ledger) (name string) {
	t.Helper()
	if err := l.db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// The connection is lost when a duplicate has been found and the transaction is taken back.
func TestRecordIssued_lostAtRollback(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		send := l.engine.send
		l.engine.send = func(ctx context.Context, s *session, all []statement) ([]int64, error) {
			if all[0].text == "ROLLBACK" {
				return nil, driver.ErrBadConn
			}
			return send(ctx, s, all)
		}
		spoiled, err := l.writer.attempt(&batch{jobs: []*job{{record: recordOf(t, root.cert), done: make(chan error, 1)}}})
		if _, ok := errors.AsType[*refusedRecord](spoiled[0]); !ok || err != nil || l.writer.session != nil {
			t.Errorf("%v, %v; the connection is kept: %v", spoiled, err, l.writer.session != nil)
		}
		l.engine.send = send
		add(t, l, ca.Issued{Certificate: root.leaf("a")})
	})
}

func recordOf(t *testing.T, cert *x509.Certificate) *record {
	t.Helper()
	r, err := newRecord(ca.Issued{Certificate: cert, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// SQLite takes some names for something else than a file.
func TestOpen_oddNames(t *testing.T) {
	t.Chdir(t.TempDir())
	root := newAuthority(t, "Test CA", nil)
	for _, name := range []string{":memory:", "file:x", "a b;c'd\"e&f=g", "%41?mode=memory#x", "zürich\xff.db", "-x", "x/../y"} {
		if name == "x/../y" {
			if err := os.Mkdir("x", 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for n := range int64(2) {
			l := create(t, name)
			add(t, l, ca.Issued{Certificate: root.leaf("web")})
			if err := l.Backup(t.Context(), "copy of "+filepath.Base(name)+string(rune('0'+n))); err != nil {
				t.Errorf("%q: %v", name, err)
			}
			if got, err := l.Count(t.Context(), Filter{Kind: Leaf}); got != n+1 || err != nil {
				t.Errorf("%q: %d certificates after %d, %v", name, got, n+1, err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Size() == 0 || info.Mode() != 0o600 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A backup that was copied into place by hand is one file in another mode, in which a commit
// is not as sure to be on the disk, and readers wait.
func TestOpen_copiedBackup(t *testing.T) {
	dir := t.TempDir()
	l := create(t, filepath.Join(dir, "ledger.db"))
	root := newAuthority(t, "Test CA", nil)
	register(t, l, root)
	path := filepath.Join(dir, "copy.db")
	if err := l.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	copied := create(t, path)
	add(t, copied, ca.Issued{Certificate: root.leaf("web")})
	var mode string
	if err := copied.writer.session.queryRow(t.Context(), "PRAGMA journal_mode").Scan(&mode); mode != "wal" || err != nil {
		t.Errorf("%s, %v", mode, err)
	}
}

// A ledger that lost a table is damaged, whatever is asked of it.
func TestBroken(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		add(t, l, ca.Issued{Certificate: root.leaf("web"), At: noon})
		if _, err := l.db.ExecContext(t.Context(), "DROP TABLE certificates"); err != nil {
			t.Fatal(err)
		}
		check := func(what string, err error) {
			if broken, ok := errors.AsType[*BrokenError](err); !ok || !strings.Contains(broken.Err.Error(), "certificates") || broken.Where != l.Where() {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, err := range l.List(t.Context(), Filter{}) {
			check("list", err)
		}
		check("issue", l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("other"), Issuer: root.cert, At: noon}))
	})
}
