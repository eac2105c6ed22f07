package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kedge/ca"
	"kedge/internal/testenv"
)

// What PgBouncer itself refuses, and what it cannot do for want of a server.
func TestOpen_pooler(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	open := func(where string) error {
		l, err := Open(t.Context(), where, Options{Create: true, Now: atNoon, BusyTimeout: 2 * time.Second})
		if err == nil {
			err = l.Close()
		}
		return err
	}
	refuses := func(what, where string, want Refusal) {
		t.Helper()
		err := open(where)
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Reason != want {
			t.Errorf("%s: %v, want %d", what, err, want)
		}
	}
	where := server.PGBouncer(t, "server_login_retry = 1\nquery_wait_timeout = 1")
	refuses("a setting", where+"&lock_timeout=5", RefusedParameter)
	refuses("an unknown user", server.PGBouncer(t, "auth_type = trust"), RefusedLogin)
	full := server.PGBouncer(t, "max_client_conn = 1")
	conn, err := pgx.Connect(t.Context(), full)
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		conn, err = pgx.Connect(t.Context(), full) // until the connection that waited for PgBouncer is gone
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	refuses("a second client", full, RefusedFull)

	l := create(t, where)
	root := newAuthority(t, "Test CA", nil)
	register(t, l, root)
	server.Stop(t)
	gone := func(what string, err error) {
		t.Helper()
		if _, ok := errors.AsType[*UnreachableError](err); !ok {
			t.Errorf("%s without a server: %v", what, err)
		}
	}
	gone("record", l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("a"), Issuer: root.cert, At: noon}))
	_, err = l.Count(t.Context(), Filter{})
	gone("count", err)
	gone("open", open(where))
	server.Start(t)
	err = errors.New("not asked")
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		err = l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("b"), Issuer: root.cert, At: noon}) // until PgBouncer tries again
	}
	if err != nil {
		t.Error(err)
	}
	if r := verify(t, l, ""); !r.OK() || r.Certificates != 2 {
		t.Errorf("%+v", r)
	}
}
