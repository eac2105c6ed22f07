package ledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// explainPostgres translates an error. It never contains the password: pgx keeps it out of its
// errors, and a server does not know it.
//
// Source: PostgreSQL, appendix A, "PostgreSQL Error Codes".
func explainPostgres(err error, where string, busy time.Duration) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	connect, connecting := errors.AsType[*pgconn.ConnectError](err)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return explainAnswer(e, connecting, where, busy)
	}
	if connecting {
		err = firstLine(connect.Unwrap())
		if why := clientRefusal(err.Error()); why != 0 {
			return &RefusedError{Where: where, Err: err, Reason: why}
		}
		if name, ok := errors.AsType[*net.DNSError](connect); ok && name.IsNotFound {
			err = fmt.Errorf("there is no host %s", name.Name)
		}
		return &UnreachableError{Where: where, Err: err}
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) {
		return &UnreachableError{Where: where, Err: firstLine(err)}
	}
	return err
}

// explainAnswer translates an error message of the server, or of a pooler.
func explainAnswer(e *pgconn.PgError, connecting bool, where string, busy time.Duration) error {
	said := errors.New(e.Message)
	if why := refusal(e, connecting); why != 0 {
		return &RefusedError{Where: where, Err: said, Reason: why}
	}
	switch {
	case e.Code == "55P03": // lock_not_available
		return &BusyError{Where: where, Waited: busy}
	case e.Code == "53100": // disk_full
		return fmt.Errorf("write the ledger %s: %w: %s", where, syscall.ENOSPC, e.Message)
	case e.Code == "42P01", e.Code == "42703": // undefined_table, undefined_column
		return &BrokenError{Where: where, Err: said}
	case connecting, strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57P"): // starting, shutting down, gone
		return &UnreachableError{Where: where, Err: said}
	}
	return fmt.Errorf("the ledger %s: %w", where, e)
}

// refusal returns why the server refused, or 0 if it did not, or may have disconnected during a
// commit. An unknown error is not a refusal.
func refusal(e *pgconn.PgError, connecting bool) Refusal {
	switch {
	case strings.HasPrefix(e.Code, "28"): // invalid authorization
		return RefusedLogin
	case strings.HasPrefix(e.Code, "3D"), e.Code == "55000" && connecting: // no such database; one that takes no connections
		return RefusedDatabase
	case e.Code == "53300": // too_many_connections
		return RefusedFull
	case e.Code == "25006": // read_only_sql_transaction
		return RefusedReadOnly
	case e.Code == "42501": // insufficient_privilege
		return RefusedRights
	case connecting && (strings.HasPrefix(e.Code, "42") || strings.HasPrefix(e.Code, "22")): // undefined_object, invalid_parameter_value
		return RefusedParameter
	case strings.HasPrefix(e.Code, "08"):
		return poolerRefusal(e.Message)
	}
	return 0
}

// poolerRefusal matches the text: PgBouncer has one code for all its own errors, from an unknown
// user to a lost server.
//
// Source: PgBouncer 1.18 to 1.24, disconnect_client in src/*.c.
func poolerRefusal(message string) Refusal {
	for _, known := range []struct {
		part string
		why  Refusal
	}{
		{"unsupported startup parameter", RefusedParameter},
		{"no such database", RefusedDatabase},
		{"a database is required", RefusedDatabase},
		{"is disabled", RefusedDatabase}, // database "x" is disabled
		{"no more connections allowed", RefusedFull},
		{"SSL required", RefusedTLS},
		{"TLS connection required", RefusedTLS},
		{"no such user", RefusedLogin},
		{"authentication failed", RefusedLogin}, // of a password, a certificate, SASL …
		{"auth failed", RefusedLogin},
		{"login failed", RefusedLogin}, // of the pooler at the server
		{"login rejected", RefusedLogin},
		{"TLS client certificate required", RefusedLogin},
		{"TLS certificate name mismatch", RefusedLogin},
		{"bouncer config error", RefusedLogin},
	} {
		if strings.Contains(message, known.part) {
			return known.why
		}
	}
	return 0
}

// clientRefusal matches pgx's own errors, for an answer that is no error message.
func clientRefusal(text string) Refusal {
	switch {
	case strings.Contains(text, "server refused TLS connection"):
		return RefusedTLS
	case strings.Contains(text, "read only connection"): // target_session_attrs=read-write
		return RefusedReadOnly
	}
	return 0
}

// firstLine returns the first error: pgx repeats it for each address of a host.
func firstLine(err error) error {
	text, _, more := strings.Cut(err.Error(), "\n")
	if !more {
		return err
	}
	return errors.New(text)
}
