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

// isPostgres reports whether where is a DSN, and not a path.
func isPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// openPostgres connects at the first query. It uses nothing that a pooler in transaction mode does
// not support: no settings at connection start, no named statements behind one, and every setting and
// lock ends with its transaction. Nor does it set the session to read-only: a Ledger refuses to write by
// itself.
//
// Source: PgBouncer, "Features", SQL feature map for pooling modes.
func openPostgres(dsn string, o Options) (*sql.DB, *engine, error) {
	c, size, err := parseDSN(dsn)
	if err != nil {
		return nil, nil, err
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = o.BusyTimeout
	}
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size) // to connect costs the server as much as many statements
	db.SetConnMaxIdleTime(time.Minute)
	host := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		host = c.Host
	}
	e := postgresEngine(fmt.Sprintf("%s of PostgreSQL at %s", c.Database, host), o.BusyTimeout)
	if _, named := c.RuntimeParams["application_name"]; !named {
		e.local += ", set_config('application_name', 'kedge-ca', true)"
	}
	return db, e, nil
}

// The size of the pool by default, and the smallest that an address may set: one connection writes,
// one lists, and one looks something up meanwhile.
const (
	defaultConns = 10
	leastConns   = 3
)

// parseDSN parses an address, with the size of the pool as pgxpool names it. No error contains a
// part of the address, which may be one of the password.
func parseDSN(dsn string) (c *pgx.ConnConfig, size int, err error) {
	unread := errors.New("the address of the ledger is not one of PostgreSQL: it is written postgres://USER@HOST:PORT/DATABASE, with %XX for special characters of the password")
	plain, err := pgconn.ParseConfig(dsn) // keeps pgx's parameters beside those of the server
	if err != nil {
		return nil, 0, unread
	}
	mode, named := plain.RuntimeParams["default_query_exec_mode"]
	if c, err = pgx.ParseConfig(dsn); err != nil {
		if named {
			return nil, 0, fmt.Errorf("the address of the ledger: default_query_exec_mode=%s, statement_cache_capacity or description_cache_capacity is not one of pgx", mode)
		}
		return nil, 0, unread
	}
	if !named {
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	text, named := c.RuntimeParams["pool_max_conns"]
	if !named {
		return c, defaultConns, nil
	}
	delete(c.RuntimeParams, "pool_max_conns") // the server does not know it
	size, err = strconv.Atoi(text)
	if err != nil || size < leastConns {
		return nil, 0, fmt.Errorf("the address of the ledger: pool_max_conns=%s is not a number from %d on", text, leastConns)
	}
	return c, size, nil
}

// postgresEngine leaves the planner few choices, since every statement of a writer finds its rows
// by a key. A plan that was made while a table was small, by reading all of it, would be kept while
// the table grows. Autovacuum never analyzes a table with as few rows as authorities; a server that
// assumes hundreds would scan all certificates to join them, or use JIT compilation. It would also
// plan a statement again for each of the first certificates in a transaction.
//
// Source: PostgreSQL, "Routine Vacuuming"; "Query Planning", on plan_cache_mode.
func postgresEngine(where string, busy time.Duration) *engine {
	e := &engine{
		where: where,
		goose: goose.DialectPostgres,
		// "C": patterns are ranges of bytes, whatever language the database sorts by.
		schema: strings.NewReplacer("{seq}", "BIGINT", "{text}", `TEXT COLLATE "C"`, "{bytes}", "BYTEA", "{none}", `'\x'`, "{clustered}", "", "{seq too}", ", seq",
			"{hex c.fingerprint}", "encode(c.fingerprint, 'hex')", "{json e.body}", "e.body::json"),
		numbered: true,
		remote:   true,
		begin:    "BEGIN ISOLATION LEVEL READ COMMITTED", // a transaction that waited for the head sees the new one; under a stricter default it would fail
		local: fmt.Sprintf(`SELECT set_config('lock_timeout', '%d', true),
			set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true),
			set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)`, busy.Milliseconds()),
		migrationLock: "SELECT pg_advisory_xact_lock(7521966231)", // an arbitrary number that other programs are unlikely to use
		tryLock:       "SELECT pg_try_advisory_xact_lock(752196623, hashtext(current_schema()))",
		tryPushLock:   "SELECT pg_try_advisory_xact_lock(752196624, hashtext(current_schema()))",
		tryAccount:    "SELECT pg_try_advisory_xact_lock(752196625, hashtext(current_schema()))",
		head:          "SELECT seq, hash, at, (extract(epoch from clock_timestamp()) * 1000000)::bigint, pg_backend_pid()::bigint FROM head FOR UPDATE",
		joined:        "CROSS JOIN LATERAL (SELECT * FROM certificates WHERE fingerprint = a.fingerprint OFFSET 0) c",
		snapshot:      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		match:         "LIKE",
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
		ask:     askPostgres,
	}
	e.expected = func(context.Context) ([]object, error) { return expectedPostgres() }
	e.migrate = func(ctx context.Context, db *sql.DB) error { return migrate(ctx, db, e) }
	return e
}
