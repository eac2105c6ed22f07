package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"testing"

	"kedge/ca"
)

// TestCRLContent_oneState: what is revoked, and listed, after the number was read is not on the CRL
// with that number.
func TestCRLContent_oneState(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, other := create(t, where), create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		leaf := root.leaf("web-01")
		add(t, l, ca.Issued{Certificate: leaf, Issuer: root.cert})
		list := CRL{Authority: root.cert, Number: 1, ThisUpdate: noon, NextUpdate: noon, SHA256: make([]byte, hashSize)}
		calls := 0
		interposed(t, l, "revoked_at IS NOT NULL", func() {
			if calls++; calls != 1 {
				return
			}
			err := other.Revoke(t.Context(), [][]byte{fingerprint(leaf)}, Revocation{At: noon, Reason: ca.KeyCompromise})
			if err == nil {
				err = other.RecordCRL(t.Context(), list)
			}
			if err != nil {
				t.Error(err)
			}
		})
		for number := range int64(2) { // entries of a list are one less than its number
			got, revoked, err := l.CRLContent(t.Context(), root.cert, noon)
			if err != nil || got != number+1 || len(revoked) != int(number) {
				t.Errorf("list %d with %v, %v", got, revoked, err)
			}
		}
	})
}

// interposed makes a ledger call a function before each query for reading that has a text.
func interposed(t *testing.T, l *Ledger, text string, call func()) {
	t.Helper()
	pool := l.db
	l.db = sql.OpenDB(interposer{pool, text, call})
	t.Cleanup(func() {
		if err := l.db.Close(); err != nil {
			t.Error(err)
		}
		l.db = pool
	})
}

// interposer takes its connections from a pool, and keeps them.
type interposer struct {
	pool *sql.DB
	text string
	call func()
}

func (i interposer) Driver() driver.Driver { return i.pool.Driver() }

func (i interposer) Connect(ctx context.Context) (driver.Conn, error) {
	taken, err := i.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	c := &interposedConn{interposer: i}
	return c, taken.Raw(func(conn any) error {
		c.Conn = conn.(driver.Conn)
		return nil
	})
}

type interposedConn struct {
	driver.Conn
	interposer
}

func (c *interposedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c *interposedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if strings.Contains(text, c.text) {
		c.call()
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}
