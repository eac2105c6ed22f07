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

// explainPostgres says what an error means for the database. What it says never holds the
// password: pgx keeps it out of its errors, and a server does not know it.
//
// Source: PostgreSQL, appendix A, "PostgreSQL Error Codes".
func explainPostgres(err error, where string, busy time.Duration) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case e.Code == "55P03": // lock_not_available
			return &BusyError{Where: where, Waited: busy}
		case e.Code == "53100": // disk_full
			return fmt.Errorf("write the ledger %s: %w: %s", where, syscall.ENOSPC, e.Message)
		case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "28"), strings.HasPrefix(e.Code, "57P"), strings.HasPrefix(e.Code, "3D"), e.Code == "53300", e.Code == "25006":
			// connection, password, shutdown, no such database, too many connections, a standby
			return &UnreachableError{Where: where, Err: errors.New(e.Message)}
		}
		if e.Code == "42P01" || e.Code == "42703" { // undefined_table, undefined_column
			return &BrokenError{Where: where, Err: errors.New(e.Message)}
		}
		return fmt.Errorf("the ledger %s: %w", where, err)
	}
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return &UnreachableError{Where: where, Err: firstLine(e.Unwrap())}
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) {
		return &UnreachableError{Where: where, Err: firstLine(err)}
	}
	return err
}

// firstLine is what happened first: pgx says it for each address of a host, and again.
func firstLine(err error) error {
	text, _, more := strings.Cut(err.Error(), "\n")
	if !more {
		return err
	}
	return errors.New(text)
}
