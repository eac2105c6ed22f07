package ledger

import (
	"context"
	"fmt"
	"time"
)

// transaction is one that writes: it holds the end of the chain, for which other writers
// wait, in whatever process they are.
type transaction struct {
	*session
	chain
	broken bool // nothing is known about the connection any more
}

// begin starts a transaction.
func begin(ctx context.Context, s *session) (*transaction, error) {
	all := []statement{{s.e.begin, nil}}
	if s.e.local != "" {
		all = append(all, statement{s.e.local, nil})
	}
	if _, err := s.e.send(ctx, s, all); err != nil {
		return nil, err
	}
	t := &transaction{session: s}
	if err := s.queryRow(ctx, s.e.head).Scan(&t.seq, &t.hash); err != nil {
		t.rollback(ctx)
		return t, fmt.Errorf("read the end of the chain: %w", err)
	}
	return t, nil
}

// append adds an entry to the chain.
func (t *transaction) append(ctx context.Context, kind string, body any, at time.Time) (seq int64, err error) {
	text, err := encode(body)
	if err != nil {
		return 0, err
	}
	_, err = t.send(ctx, t.next(kind, text, at))
	return t.seq, err
}

// send runs statements and returns how many rows each changed.
func (t *transaction) send(ctx context.Context, all ...statement) ([]int64, error) {
	return t.e.send(ctx, t.session, all)
}

func (t *transaction) commit(ctx context.Context) error {
	_, err := t.send(ctx, t.head())
	if err == nil {
		_, err = t.exec(ctx, "COMMIT")
	}
	if err != nil {
		t.rollback(ctx)
	}
	return err
}

// rollback undoes everything. Where that fails there may be nothing to undo, as after a full
// disk, or the server is gone; the connection is given up in any case.
func (t *transaction) rollback(ctx context.Context) {
	if _, err := t.exec(ctx, "ROLLBACK"); err != nil {
		t.broken = true
	}
}
