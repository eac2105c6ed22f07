package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// transaction is one that writes: it holds the head lock, for which all other writers wait, in
// whatever process they are.
type transaction struct {
	*session
	chain
	clock   func() time.Time
	written []byte // the hash in the head since this transaction changed it; nil before
	broken  bool   // the state of the connection is unknown
}

// maxSkew bounds the difference between the clocks of this machine and the server.
const maxSkew = 2 * time.Minute

// beginOn starts a transaction.
func (w *writer) beginOn(ctx context.Context, s *session) (*transaction, error) {
	all := []statement{some(s.e.begin)}
	for _, text := range []string{s.e.local, s.e.scope} {
		if text != "" {
			all = append(all, some(text))
		}
	}
	t := &transaction{session: s, clock: w.now}
	var at, server, process int64
	s.direct = false
	err := s.e.ask(ctx, s, all, []lookup{{s.e.head, nil, func(row scanner) error { return row.Scan(&t.seq, &t.hash, &at, &server, &process) }}})
	if err == nil && t.hash == nil {
		err = sql.ErrNoRows
	}
	if err != nil {
		t.rollback(ctx)
		return t, fmt.Errorf("read the end of the chain: %w", err)
	}
	t.at = time.UnixMicro(at).UTC()
	s.direct = process != 0 && process == s.process
	if err := w.checkClock(server); err != nil {
		t.rollback(ctx)
		return t, err
	}
	return t, nil
}

// checkClock compares the clock with the server's, in microseconds since 1970; 0: no server.
func (w *writer) checkClock(server int64) error {
	if server == 0 || w.anyClock {
		return nil
	}
	ours, theirs := w.now().UTC(), time.UnixMicro(server).UTC()
	if skew := ours.Sub(theirs).Abs(); skew > maxSkew {
		return &ClockError{Where: w.engine.where, Ours: ours, Theirs: theirs}
	}
	return nil
}

// now returns the time of the transaction, by which certificates are valid or not.
func (t *transaction) now() time.Time { return t.chain.now(t.clock()) }

// append adds an entry to the chain.
func (t *transaction) append(ctx context.Context, kind string, body any) (seq int64, err error) {
	text, err := encode(body)
	if err != nil {
		return 0, err
	}
	err = t.send(ctx, t.next(kind, text, t.clock()))
	return t.seq, err
}

// send runs statements. If one changes another number of rows than it must, the error is a
// *BrokenError: a trigger or a rule that kedge did not create has interfered, and the transaction
// must not be committed.
func (t *transaction) send(ctx context.Context, all ...statement) error {
	changed, err := t.e.send(ctx, t.session, all)
	if err != nil {
		return err
	}
	for i, s := range all {
		if err := t.exact(s, changed[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) exact(s statement, changed int64) error {
	if s.rows == anyRows || s.rows == changed {
		return nil
	}
	verb, _, _ := strings.Cut(s.text, " ")
	return &BrokenError{Where: t.e.where, Err: fmt.Errorf("it did not take what was written: a statement (%s) changed %d rows and not %d", verb, changed, s.rows)}
}

func (t *transaction) commit(ctx context.Context) error {
	var err error
	if !bytes.Equal(t.written, t.hash) {
		err = t.send(ctx, t.head())
	}
	if err == nil {
		_, err = t.exec(ctx, "COMMIT")
	}
	if err != nil {
		t.rollback(ctx)
	}
	return err
}

// rollback undoes everything. If it fails, the transaction may have been rolled back already, as
// after a full disk, or the server is gone; the connection is discarded in any case.
func (t *transaction) rollback(ctx context.Context) {
	if _, err := t.exec(ctx, "ROLLBACK"); err != nil {
		t.broken = true
	}
}
