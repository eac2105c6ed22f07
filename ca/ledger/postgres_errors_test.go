package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kedge/internal/testenv"
)

// An error that may be a connection lost during a commit must not be a refusal: after a refusal the
// caller removes the new key.
func TestExplainPostgres(t *testing.T) {
	for _, tt := range []struct {
		code, message string
		want          Refusal // 0: unreachable
	}{
		{"28P01", "password authentication failed for user \"kedge\"", RefusedLogin},
		{"28000", "no pg_hba.conf entry for host \"192.0.2.1\"", RefusedLogin},
		{"3D000", "database \"kedge\" does not exist", RefusedDatabase},
		{"53300", "sorry, too many clients already", RefusedFull},
		{"25006", "cannot execute INSERT in a read-only transaction", RefusedReadOnly},
		{"42501", "permission denied for table head", RefusedRights},
		{"57P01", "terminating connection due to administrator command", 0},
		{"57P03", "the database system is starting up", 0},
		{"08006", "connection failure", 0},
		// PgBouncer
		{"08P01", "unsupported startup parameter: lock_timeout", RefusedParameter},
		{"08P01", "no such user: kedge", RefusedLogin},
		{"08P01", "no such database: kedge", RefusedDatabase},
		{"08P01", "database \"kedge\" is disabled", RefusedDatabase},
		{"08P01", "password authentication failed", RefusedLogin},
		{"08P01", "SASL authentication failed", RefusedLogin},
		{"08P01", "auth failed", RefusedLogin},
		{"08P01", "no more connections allowed (max_client_conn)", RefusedFull},
		{"08P01", "server login failed: FATAL password authentication failed for user \"kedge\"", RefusedLogin},
		{"08P01", "SSL required", RefusedTLS},
		{"08P01", "pgbouncer cannot connect to server", 0},
		{"08P01", "server login has been failing, try again later (server_login_retry)", 0},
		{"08P01", "server closed the connection unexpectedly", 0},
		{"08P01", "server conn crashed?", 0},
		{"08P01", "query_wait_timeout", 0},
		{"08P01", "client_login_timeout (server down)", 0},
		{"08P01", "idle transaction timeout", 0},
		{"08P01", "something that a later version says", 0},
	} {
		err := explainPostgres(fmt.Errorf("exec: %w", &pgconn.PgError{Severity: "FATAL", Code: tt.code, Message: tt.message}), "w", time.Second)
		refused, ok := errors.AsType[*RefusedError](err)
		_, gone := errors.AsType[*UnreachableError](err)
		if ok != (tt.want != 0) || gone == ok || ok && refused.Reason != tt.want || !strings.HasSuffix(err.Error(), tt.message) {
			t.Errorf("%s %s: %v (%T), want %d", tt.code, tt.message, err, err, tt.want)
		}
	}
}

// The same from a server itself.
func TestOpen_refused(t *testing.T) {
	where := testenv.Postgres(t)
	l := create(t, where)
	for _, command := range []string{"CREATE ROLE reader LOGIN", "CREATE ROLE nobody", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"} {
		if _, err := l.db.ExecContext(t.Context(), command); err != nil {
			t.Fatal(err)
		}
	}
	for dsn, want := range map[string]Refusal{
		strings.Replace(where, "postgres@", "nobody@", 1):  RefusedLogin,
		strings.Replace(where, "postgres@", "missing@", 1): RefusedLogin,
		strings.Replace(where, "@/", "@/no", 1):            RefusedDatabase,
		where + "&no_such_setting=1":                       RefusedParameter,
	} {
		_, err := Open(t.Context(), dsn, Options{Now: atNoon, AnyClock: true})
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Reason != want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %d", dsn, err, want)
		}
	}
	reader, err := Open(t.Context(), strings.Replace(where, "postgres@", "reader@", 1), Options{Now: atNoon, AnyClock: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	err = reader.SetAuthorities(t.Context(), Authority{Name: "x", State: Active, Certificate: newAuthority(t, "x", nil).cert})
	if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Reason != RefusedRights {
		t.Errorf("without rights: %v", err)
	}
}
