package ledger

import (
	"context"
	"sync"
)

// TryLock takes the lock for work on this ledger that one process at a time should do. ok is false,
// without waiting, if another has it; otherwise release is to be called, whatever happened. A lost
// connection ends the lock: what is done under it must be right without it, too.
//
// A ledger in a file has a lock for each Ledger: one server writes it.
func (l *Ledger) TryLock(ctx context.Context) (release func(), ok bool, err error) {
	return l.tryLock(ctx, &l.working, l.engine.tryLock)
}

// TryPushLock is TryLock with another lock: for bringing lists to AWS, which takes longer than other work may wait.
func (l *Ledger) TryPushLock(ctx context.Context) (release func(), ok bool, err error) {
	return l.tryLock(ctx, &l.pushing, l.engine.tryPushLock)
}

// TryAccountLock is TryLock with another lock: for changes of an account at AWS; lists can be brought there meanwhile.
func (l *Ledger) TryAccountLock(ctx context.Context) (release func(), ok bool, err error) {
	return l.tryLock(ctx, &l.building, l.engine.tryAccount)
}

// tryLock takes the lock of the process, and then that of the database by a statement; empty: it has none.
func (l *Ledger) tryLock(ctx context.Context, here *sync.Mutex, statement string) (release func(), ok bool, err error) {
	if !here.TryLock() {
		return nil, false, nil
	}
	if statement == "" {
		return here.Unlock, true, nil
	}
	unlock, ok, err := l.lockServer(ctx, statement)
	if !ok {
		here.Unlock()
		return nil, false, l.engine.explain(err)
	}
	return func() {
		unlock()
		here.Unlock()
	}, true, nil
}

// lockServer takes the lock of the database, which lasts as long as a transaction: poolers keep no
// other.
func (l *Ledger) lockServer(ctx context.Context, statement string) (unlock func(), ok bool, err error) {
	s, err := newSession(ctx, l.db, l.engine)
	if err != nil {
		return nil, false, err
	}
	unlock = func() {
		_, err := s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		_ = s.close(err != nil) // nothing was written
	}
	if _, err = s.conn.ExecContext(ctx, l.engine.begin); err == nil {
		err = s.queryRow(ctx, statement).Scan(&ok)
	}
	if !ok || err != nil {
		unlock()
		return nil, false, err
	}
	return unlock, true, nil
}
