package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// isPostgres tells a DSN from a path.
func isPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// openPostgres connects when it is first asked something.
func openPostgres(dsn string, o Options) (*sql.DB, *engine, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil { // which may quote a part of the password
		return nil, nil, errors.New("the address of the ledger is not one of PostgreSQL: it is written postgres://USER@HOST:PORT/DATABASE, with %XX for special characters of the password")
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = o.BusyTimeout
	}
	c.RuntimeParams["lock_timeout"] = strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10)
	if _, ok := c.RuntimeParams["application_name"]; !ok {
		c.RuntimeParams["application_name"] = "kedge-ca"
	}
	if o.ReadOnly {
		c.RuntimeParams["default_transaction_read_only"] = "on"
	}
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(maxIdle)
	host := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		host = c.Host
	}
	return db, postgresEngine(fmt.Sprintf("%s of PostgreSQL at %s", c.Database, host), o.BusyTimeout), nil
}

func postgresEngine(where string, busy time.Duration) *engine {
	e := &engine{
		where: where,
		goose: goose.DialectPostgres,
		// "C": patterns are ranges of bytes, whatever language the database sorts by.
		schema:   strings.NewReplacer("{seq}", "BIGINT", "{text}", `TEXT COLLATE "C"`, "{bytes}", "BYTEA", "{clustered}", "", "{seq too}", ", seq"),
		numbered: true,
		durable:  "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
		begin:    "BEGIN ISOLATION LEVEL READ COMMITTED", // who waited for the head sees the new one; under a stricter default it would fail
		head:     "SELECT seq, hash FROM head FOR UPDATE",
		snapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		match:    "LIKE",
		pattern: func(p string) string {
			return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`, "*", "%").Replace(p)
		},
		absent: func(err error) bool {
			e, ok := errors.AsType[*pgconn.PgError](err)
			return ok && e.Code == "42P01" // undefined_table
		},
		explain: func(err error) error { return explainPostgres(err, where, busy) },
		tables:  "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
		scope:   postgresScope,
		objects: readPostgres,
		send:    sendPostgres,
	}
	e.expected = func(context.Context) ([]object, error) { return expectedPostgres() }
	e.migrate = func(ctx context.Context, db *sql.DB) error { return migratePostgres(ctx, db, e) }
	return e
}

// migratePostgres keeps other processes that migrate waiting. The lock ends with the
// connection.
func migratePostgres(ctx context.Context, db *sql.DB, e *engine) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	const lock = 7521966231 // any number that other programs of the database do not take
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return err
	}
	err = migrate(ctx, db, e)
	_, unlockErr := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lock)
	return errors.Join(err, unlockErr)
}

// sendPostgres sends all statements before it waits for the first answer.
func sendPostgres(ctx context.Context, s *session, all []statement) ([]int64, error) {
	changed := make([]int64, len(all))
	err := s.conn.Raw(func(dc any) error {
		var batch pgx.Batch
		for _, one := range all {
			text, ok := s.texts[one.text]
			if !ok {
				text = s.e.sql(one.text)
				s.texts[one.text] = text
			}
			batch.Queue(text, one.args...)
		}
		results := dc.(*stdlib.Conn).Conn().SendBatch(ctx, &batch)
		for i := range all {
			tag, err := results.Exec()
			if err != nil {
				return errors.Join(err, results.Close())
			}
			changed[i] = tag.RowsAffected()
		}
		return results.Close()
	})
	return changed, err
}
