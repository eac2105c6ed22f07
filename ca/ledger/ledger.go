package ledger

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"time"
)

// Options say how a ledger is opened.
type Options struct {
	// Create creates the ledger if it does not exist. Otherwise that is a *MissingError: a CA that
	// lost its ledger must not continue with an empty one.
	Create bool
	// ReadOnly refuses every write, also the migration of an older ledger.
	ReadOnly bool
	// Now is the clock, by which a certificate counts as expired. Required. If it differs by more
	// than 2 minutes from that of a PostgreSQL server, writes fail with a *ClockError.
	Now func() time.Time
	// AnyClock disables the comparison with the server's clock, for a Now that is not the time of
	// day, as in a test or a rehearsal.
	AnyClock bool
	// BusyTimeout bounds the wait for other processes that write, and for a server to answer; 10
	// seconds when it is 0.
	BusyTimeout time.Duration
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	db     *sql.DB
	engine *engine
	now    func() time.Time
	writer writer

	authorities sharing[struct{}, []Authority]
	tokens      sharing[[]byte, map[string]Token]       // by ID
	known       sharing[[]byte, map[string]Certificate] // by fingerprint

	working  sync.Mutex // of TryLock
	pushing  sync.Mutex // of TryPushLock
	building sync.Mutex // of TryAccountLock

	copyDir string // of OpenBackup: a folder to remove; empty: none
}

// Open opens the ledger at where, a path or a URL that begins with postgres://, and migrates its
// tables to the newest schema. Errors are *MissingError, *ForeignError, *NewerSchemaError,
// *OlderSchemaError, *BusyError, *UnreachableError and *RefusedError; none of them contains a
// password.
//
// A PostgreSQL database should be used by the ledger only.
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
	l.authorities.read, l.tokens.read, l.known.read = l.readAuthorities, l.readTokens, l.readKnown
	return l, nil
}

// attempts bounds the retries of a migration that another process does at the same time.
const attempts = 5

// prepare creates or migrates the tables if necessary. On a ledger in use that is one query.
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
			return e.setWriteMode(ctx, db, o)
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

// setWriteMode sets how a ledger is written, since a copy of a backup is written differently.
func (e *engine) setWriteMode(ctx context.Context, db *sql.DB, o Options) error {
	if e.writeMode == "" || o.ReadOnly {
		return nil
	}
	_, err := db.ExecContext(ctx, e.writeMode)
	return err
}

// readSchema returns the version of the tables, 0 if there are none.
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
	// They may be those of a ledger that another process has created since.
	if err = db.QueryRowContext(ctx, schemaVersion).Scan(&have); e.absent(err) {
		err = &ForeignError{Where: e.where, Why: "it holds the tables of another program"}
	}
	return have.Int64, err
}

// Where returns the name of the ledger in errors: a path, or a database and its server.
func (l *Ledger) Where() string { return l.engine.where }

// IsRemote reports whether the ledger is that of a server, and not a file that this process reads.
func (l *Ledger) IsRemote() bool { return l.engine.remote }

// Close waits until the queue is written, and closes the ledger. Later writes return ErrClosed.
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
