package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kedge/ca"
	"kedge/internal/testenv"
)

// configure sets a default of a database, past a pooler: before the first connection to it.
func configure(t *testing.T, where, setting string) {
	t.Helper()
	direct, _, _ := strings.Cut(where, "/bouncer-")
	conn, err := pgx.Connect(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "ALTER DATABASE "+conn.Config().Database+" SET "+setting); err != nil {
		t.Fatal(err)
	}
}

// A pooler refuses a connection for what it starts with, and has no statements by name.
func TestParseDSN(t *testing.T) {
	for dsn, want := range map[string]struct {
		size int
		mode pgx.QueryExecMode
	}{
		"postgres://u@h/d":                   {10, pgx.QueryExecModeExec},
		"postgres://u@h/d?pool_max_conns=40": {40, pgx.QueryExecModeExec},
		"postgres://u@h/d?pool_max_conns=3&default_query_exec_mode=cache_statement": {3, pgx.QueryExecModeCacheStatement},
		"postgresql://u@h/d?default_query_exec_mode=simple_protocol":                {10, pgx.QueryExecModeSimpleProtocol},
	} {
		c, size, err := parseDSN(dsn)
		if err != nil || size != want.size || c.DefaultQueryExecMode != want.mode || len(c.RuntimeParams) != 0 {
			t.Errorf("%s: %d connections, %v; want %+v; starts with %v; %v", dsn, size, c.DefaultQueryExecMode, want, c.RuntimeParams, err)
		}
	}
	for dsn, want := range map[string]string{
		"postgres://u:geheim@h/d?pool_max_conns=2":             "the address of the ledger: pool_max_conns=2 is not a number from 3 on",
		"postgres://u:geheim@h/d?pool_max_conns=ten":           "the address of the ledger: pool_max_conns=ten is not a number from 3 on",
		"postgres://u:geheim@h/d?default_query_exec_mode=fast": "the address of the ledger: default_query_exec_mode=fast, statement_cache_capacity or description_cache_capacity is not one of pgx",
	} {
		if _, _, err := parseDSN(dsn); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// What a transaction set is gone with it: the next one on the connection is another client's.
func TestBegin_local(t *testing.T) {
	l := create(t, testenv.Postgres(t))
	add(t, l, ca.Issued{Certificate: newAuthority(t, "Test CA", nil).cert})
	for setting, want := range map[string]string{"lock_timeout": "0", "application_name": "", "default_transaction_read_only": "off"} {
		var got string
		if err := l.writer.session.queryRow(t.Context(), "SHOW "+setting).Scan(&got); got != want || err != nil {
			t.Errorf("%s is %q after the transaction, %v", setting, got, err)
		}
	}
	var prepared, locks, clock int64
	question := "SELECT (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), " + "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
	if err := l.writer.session.queryRow(t.Context(), question).Scan(&prepared, &locks, &clock); prepared != 0 || locks != 0 || err != nil {
		t.Errorf("%d statements and %d locks are left, %v", prepared, locks, err)
	}
	if off := time.Since(time.UnixMicro(clock)).Abs(); off > time.Minute {
		t.Errorf("the clock of the server on this machine is off by %s", off)
	}
}

// The server keeps what is sent often, but for a pooler: the next transaction may be in another process,
// and this process may be the next one's of another client.
func TestSend_kept(t *testing.T) {
	record := func(l *Ledger, root *authority, name string) (kept int64) {
		t.Helper()
		if err := l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf(name), Issuer: root.cert, At: noon}); err != nil {
			t.Fatal(err)
		}
		if err := l.writer.session.queryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&kept); err != nil {
			t.Fatal(err)
		}
		return kept
	}
	for _, tt := range []struct {
		what, where string
		keeps       bool
	}{{"the server", testenv.Postgres(t), true}, {"a pooler", testenv.PGBouncer(t), false}} {
		l, root := create(t, tt.where), newAuthority(t, "Test CA of "+tt.what, nil)
		register(t, l, root)
		record(l, root, "a")
		n := record(l, root, "b")
		if again := record(l, root, "c"); n > 0 != tt.keeps || again != n {
			t.Errorf("%s keeps %d statements, and then %d", tt.what, n, again)
		}
		l.writer.session.process++
		if again := record(l, root, "d"); again != n {
			t.Errorf("%s, in another process, keeps %d statements and then %d", tt.what, n, again)
		}
		if r := verify(t, l, ""); !r.OK() {
			t.Errorf("%s: %+v", tt.what, r)
		}
	}
}

// Several processes find an empty database at once, without a session to hold a lock.
func TestOpen_migratedAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		openAtOnce(t, where, Options{Create: true, Now: atNoon})
		l := create(t, where)
		var versions, heads int64
		question := "SELECT (SELECT count(*) FROM kedge_schema WHERE version_id > 0), (SELECT count(*) FROM head)"
		if err := l.db.QueryRowContext(t.Context(), question).Scan(&versions, &heads); err != nil || versions != newestSchema || heads != 1 {
			t.Errorf("%d versions of the schema, %d heads, %v", versions, heads, err)
		}
	})
}

// Only one process migrates at a time, and none does what another has done meanwhile.
func TestTakeTurn(t *testing.T) {
	where := testenv.PGBouncer(t)
	l := create(t, where)
	waiting, err := Open(t.Context(), where, Options{Now: atNoon, BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	first, err := l.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Rollback()
	if err := l.engine.lockMigrations(t.Context(), first, newestSchema); err != errMigrated {
		t.Errorf("version %d, which is there: %v", newestSchema, err)
	}
	if err := l.engine.lockMigrations(t.Context(), first, newestSchema+1); err != nil {
		t.Errorf("the next version: %v", err)
	}
	second, err := waiting.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Rollback()
	err = waiting.engine.explain(waiting.engine.lockMigrations(t.Context(), second, newestSchema+1))
	if _, ok := errors.AsType[*BusyError](err); !ok {
		t.Errorf("while another migrates: %v", err)
	}
}

func TestByText(t *testing.T) {
	var got strings.Builder
	all, from := byText([][]statement{{one("b", 1), one("a", 2), one("c")}, {one("b", 3), one("x", 4), one("a", 5), one("y")}, nil, {one("b", 6), one("x", 7)}})
	for _, one := range all {
		fmt.Fprint(&got, one.text, one.args)
	}
	fmt.Fprint(&got, from)
	if want := "b[1]b[3]b[6]x[4]x[7]a[2]a[5]y[]c[][0 3 7 4 8 1 5 6 2]"; got.String() != want {
		t.Errorf("%s, want %s", got.String(), want)
	}
}
