package ledger

import "context"

// TryLock takes the lock for work on this ledger that one process at a time should do. ok is false,
// without waiting, if another has it; otherwise release is to be called, whatever happened. A lost
// connection ends the lock: what is done under it must be right without it, too.
//
// A ledger in a file has a lock for each Ledger: one server writes it.
func (l *Ledger) TryLock(ctx context.Context) (release func(), ok bool, err error) {
	if !l.working.TryLock() {
		return nil, false, nil
	}
	if l.engine.tryLock == "" {
		return l.working.Unlock, true, nil
	}
	unlock, ok, err := l.lockServer(ctx)
	if !ok {
		l.working.Unlock()
		return nil, false, l.engine.explain(err)
	}
	return func() {
		unlock()
		l.working.Unlock()
	}, true, nil
}

// lockServer takes the lock of the database, which lasts as long as a transaction: poolers keep no
// other.
func (l *Ledger) lockServer(ctx context.Context) (unlock func(), ok bool, err error) {
	s, err := newSession(ctx, l.db, l.engine)
	if err != nil {
		return nil, false, err
	}
	unlock = func() {
		_, err := s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		_ = s.close(err != nil) // nothing was written
	}
	if _, err = s.conn.ExecContext(ctx, l.engine.begin); err == nil {
		err = s.queryRow(ctx, l.engine.tryLock).Scan(&ok)
	}
	if !ok || err != nil {
		unlock()
		return nil, false, err
	}
	return unlock, true, nil
}
