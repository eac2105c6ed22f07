package ledger

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"
)

// Options say how a ledger is opened.
type Options struct {
	// Create makes the ledger when there is none. Without it that is a *MissingError: a CA
	// that lost its ledger must not go on with an empty one.
	Create bool
	// ReadOnly refuses all that writes, also the migration of an older ledger.
	ReadOnly bool
	// Now is the clock, by which a certificate counts as expired. Required. One that differs by
	// more than 2 minutes from that of a PostgreSQL server writes nothing there: a *ClockError.
	Now func() time.Time
	// AnyClock leaves the server's clock alone, for a Now that is not the time of day, as in a
	// test or a rehearsal.
	AnyClock bool
	// BusyTimeout is how long to wait for other processes that write, and for a server to
	// answer; 10 seconds when it is 0.
	BusyTimeout time.Duration
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	db     *sql.DB
	engine *engine
	now    func() time.Time
	writer writer

	copyDir string // of OpenBackup: a folder to remove; empty: there is none
}

// Open opens the ledger at where, a path or a URL that begins with postgres://, and brings
// its tables to the newest schema. It fails with a *MissingError, *ForeignError,
// *NewerSchemaError, *OlderSchemaError, *BusyError, *UnreachableError or *RefusedError; none of
// them names a password.
//
// A PostgreSQL database should be the ledger's alone.
func Open(ctx context.Context, where string, o Options) (*Ledger, error) {
	if o.Now == nil {
		return nil, errors.New("open the ledger: Options.Now is missing")
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 10 * time.Second
	}
	open := openSQLite
	if isPostgres(where) {
		open = openPostgres
	}
	db, e, err := open(where, o)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, db, e, o); err != nil {
		return nil, errors.Join(e.explain(err), db.Close())
	}
	l := &Ledger{db: db, engine: e, now: o.Now}
	l.writer = writer{db: db, engine: e, readOnly: o.ReadOnly, timeout: stepTimeout, now: o.Now, anyClock: o.AnyClock}
	return l, nil
}

// attempts is how often migrating is tried, in case another process does it at this moment.
const attempts = 5

// prepare sees to it that the tables are there and new enough. On a ledger in use that is
// one question.
func prepare(ctx context.Context, db *sql.DB, e *engine, o Options) error {
	var failed error
	for range attempts {
		have, err := readSchema(ctx, db, e)
		switch {
		case err != nil:
			return err
		case have > newestSchema:
			return &NewerSchemaError{Where: e.where, Schema: have, Known: newestSchema}
		case have == newestSchema:
			return e.settle(ctx, db, o)
		case have == 0 && !o.Create:
			return &MissingError{Where: e.where, Empty: true}
		case o.ReadOnly:
			return &OlderSchemaError{Where: e.where, Schema: have, Known: newestSchema}
		}
		if failed = e.migrate(ctx, db); failed == nil {
			return nil
		}
	}
	return failed
}

// settle makes a ledger write as it is to, which is not how a copy of a backup writes.
func (e *engine) settle(ctx context.Context, db *sql.DB, o Options) error {
	if e.steady == "" || o.ReadOnly {
		return nil
	}
	_, err := db.ExecContext(ctx, e.steady)
	return err
}

// readSchema returns the version of the tables, 0 when there are none.
func readSchema(ctx context.Context, db *sql.DB, e *engine) (int64, error) {
	var have sql.NullInt64
	err := db.QueryRowContext(ctx, schemaVersion).Scan(&have)
	if !e.absent(err) {
		return have.Int64, err
	}
	var tables int64
	if err := db.QueryRowContext(ctx, e.tables).Scan(&tables); err != nil {
		return 0, err
	}
	if tables == 0 {
		return 0, nil
	}
	// They may be those of a ledger that another process has made since.
	if err = db.QueryRowContext(ctx, schemaVersion).Scan(&have); e.absent(err) {
		err = &ForeignError{Where: e.where, Why: "it holds the tables of another program"}
	}
	return have.Int64, err
}

// Where names the ledger as errors do: a path, or a database and its server.
func (l *Ledger) Where() string { return l.engine.where }

// Close waits for what is being written, and closes the ledger. What writes after returns
// ErrClosed.
func (l *Ledger) Close() error {
	err := l.writer.close()
	if err == ErrClosed {
		return err
	}
	err = errors.Join(l.engine.explain(err), l.engine.explain(l.db.Close()))
	if l.copyDir != "" {
		err = errors.Join(err, os.RemoveAll(l.copyDir))
	}
	return err
}
