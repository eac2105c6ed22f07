package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
)

// session is the connection that writes, with its prepared statements. It is not safe for
// concurrent use. With PostgreSQL nothing lasts longer than a transaction: a pooler may use another
// connection for each, without the settings, locks and statements of the last. Only if a transaction is
// in the process that greeted the connection, so that there is no pooler, it has the statements that
// earlier ones kept.
type session struct {
	e        *engine
	conn     *sql.Conn
	prepared map[string]driver.Stmt // SQLite
	texts    map[string]string      // PostgreSQL: statements with ? -> with $1

	process int64             // PostgreSQL: that greeted the connection
	direct  bool              // the transaction is in that process
	kept    map[string]string // statements -> their names in that process
	names   int               // that were used
}

// newSession takes a connection. Pooled ones may have died with the server; a dead one shows at its
// first use.
func newSession(ctx context.Context, db *sql.DB, e *engine) (*session, error) {
	for tries := db.Stats().MaxOpenConnections; ; tries-- {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s := &session{e: e, conn: conn, prepared: map[string]driver.Stmt{}, texts: map[string]string{}, kept: map[string]string{}}
		if !e.remote {
			return s, nil
		}
		s.process = processOf(conn)
		if _, err = conn.ExecContext(ctx, "SELECT 1"); err == nil { // a ping would not return the error
			return s, nil
		}
		_ = s.close(true) // err has its error
		if !errors.Is(err, driver.ErrBadConn) || tries == 0 {
			return nil, err
		}
	}
}

// text returns a statement in the engine's syntax.
func (s *session) text(text string) string {
	taken, ok := s.texts[text]
	if !ok {
		taken = s.e.sql(text)
		s.texts[text] = taken
	}
	return taken
}

// close returns the connection to the pool, or discards it if it is broken.
func (s *session) close(broken bool) error {
	err := s.conn.Raw(func(any) error {
		var errs []error
		for _, stmt := range s.prepared {
			errs = append(errs, stmt.Close())
		}
		return errors.Join(errs...)
	})
	if broken {
		if err := s.conn.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
			return err
		}
		return nil
	}
	return errors.Join(err, s.conn.Close())
}

// exec runs one statement and returns how many rows it changed.
func (s *session) exec(ctx context.Context, text string, args ...any) (int64, error) {
	rows, err := s.e.send(ctx, s, []statement{some(text, args...)})
	if err != nil {
		return 0, err
	}
	return rows[0], nil
}

// askInTurn waits for the answer to each statement and lookup before it sends the next.
func askInTurn(ctx context.Context, s *session, before []statement, all []lookup) error {
	if len(before) != 0 {
		if _, err := s.e.send(ctx, s, before); err != nil {
			return err
		}
	}
	for _, q := range all {
		if err := s.ask(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) ask(ctx context.Context, q lookup) error {
	rows, err := s.conn.QueryContext(ctx, s.e.sql(q.text), q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := q.row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *session) queryRow(ctx context.Context, text string, args ...any) *sql.Row {
	return s.conn.QueryRowContext(ctx, s.e.sql(text), args...)
}

// byText groups statements with the same text: a server that keeps no statements then parses each
// text once. Each sequence keeps its order, so that a rule of a record runs before that record is
// written, whichever rules the others have. from has for each statement its index among all.
//
// A new text is placed right after the previous text of the same sequence. That keeps all orders as
// long as no two sequences have two texts in opposite orders.
func byText(sequences [][]statement) (grouped []statement, from []int) {
	var texts []string // in the order of the groups
	groups := map[string][]int{}
	all := slices.Concat(sequences...)
	n := 0
	for _, sequence := range sequences {
		place := 0 // after the text before
		for _, one := range sequence {
			at := slices.Index(texts, one.text)
			if at < 0 {
				at = place
				texts = slices.Insert(texts, at, one.text)
			}
			place = at + 1
			groups[one.text] = append(groups[one.text], n)
			n++
		}
	}
	for _, text := range texts {
		from = append(from, groups[text]...)
	}
	for _, i := range from {
		grouped = append(grouped, all[i])
	}
	return grouped, from
}

// sendByText runs the statements of several records, which do not depend on each other. It returns
// how many rows each changed, in the original order.
func (s *session) sendByText(ctx context.Context, records [][]statement) ([]int64, error) {
	grouped, from := byText(records)
	rows, err := s.e.send(ctx, s, grouped)
	if err != nil {
		return nil, err
	}
	changed := make([]int64, len(from))
	for i, at := range from {
		changed[at] = rows[i]
	}
	return changed, nil
}
