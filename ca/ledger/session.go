package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
)

// session is the connection that writes, with what was prepared on it. One goroutine uses it.
// With PostgreSQL nothing lasts longer than a transaction: a pooler may give each to another
// connection, which has neither the settings nor the locks nor the statements of the last.
type session struct {
	e        *engine
	conn     *sql.Conn
	prepared map[string]driver.Stmt // SQLite
	texts    map[string]string      // PostgreSQL: with ? and as it takes them
}

// newSession takes a connection. Those that the pool kept may have died with the server; each
// is found out by the first thing that it is asked, and the pool keeps few.
func newSession(ctx context.Context, db *sql.DB, e *engine) (*session, error) {
	for tries := maxIdle; ; tries-- {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s := &session{e: e, conn: conn, prepared: map[string]driver.Stmt{}, texts: map[string]string{}}
		if !e.remote {
			return s, nil
		}
		if _, err = conn.ExecContext(ctx, "SELECT 1"); err == nil { // a ping would not say what is wrong
			return s, nil
		}
		_ = s.close(true) // what is wrong with it is in err
		if !errors.Is(err, driver.ErrBadConn) || tries == 0 {
			return nil, err
		}
	}
}

// maxIdle is how many connections are kept open while nobody uses them.
const maxIdle = 4

// text returns a statement as the engine takes it.
func (s *session) text(text string) string {
	taken, ok := s.texts[text]
	if !ok {
		taken = s.e.sql(text)
		s.texts[text] = taken
	}
	return taken
}

// close gives the connection back, or up when broken says that nothing is known about it.
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

func (s *session) queryRow(ctx context.Context, text string, args ...any) *sql.Row {
	return s.conn.QueryRowContext(ctx, s.e.sql(text), args...)
}

// byText puts statements with the same text together, in the order in which the texts first
// come: a server that keeps no statements parses each text once. from says for each of them
// where it was.
func byText(all []statement) (grouped []statement, from []int) {
	places := map[string]int{}
	var groups [][]int
	for i, one := range all {
		at, ok := places[one.text]
		if !ok {
			at = len(groups)
			places[one.text] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], i)
	}
	from = slices.Concat(groups...)
	for _, i := range from {
		grouped = append(grouped, all[i])
	}
	return grouped, from
}

// sendByText runs statements of which none depends on another with a later text. It returns
// how many rows each changed, in the order of all.
func (s *session) sendByText(ctx context.Context, all []statement) ([]int64, error) {
	grouped, from := byText(all)
	rows, err := s.e.send(ctx, s, grouped)
	if err != nil {
		return nil, err
	}
	changed := make([]int64, len(all))
	for i, at := range from {
		changed[at] = rows[i]
	}
	return changed, nil
}
