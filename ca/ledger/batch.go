package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// maxBatch is how many certificates share a transaction at most.
const maxBatch = 256

// stepTimeout bounds each step of a transaction with a server that neither answers nor disconnects:
// its begin, its statements, and its end.
const stepTimeout = time.Minute

// writer is the queue of jobs. submit starts a goroutine, if there is none, that writes until the
// queue is empty. A lone job does not wait for others; those that are queued during a commit, or
// while another process holds the head lock, share the next transaction.
type writer struct {
	db       *sql.DB
	engine   *engine
	readOnly bool
	timeout  time.Duration // of a step
	now      func() time.Time
	anyClock bool // the server's clock is not checked

	mu      sync.Mutex
	queue   []*job
	running bool
	closed  bool
	idle    sync.WaitGroup
	session *session // of the goroutine that writes
}

// run writes until the queue is empty.
func (w *writer) run() {
	defer w.idle.Done()
	for {
		b := w.take()
		if b == nil {
			return
		}
		w.write(b)
		runtime.Gosched() // callers that got their answer may submit the next job, for the same commit
	}
}

// write carries out the jobs and answers each. A certificate that a rule refuses, or that fails the
// transaction of the others, is retried singly, after them: the answer then reflects what is
// committed.
func (w *writer) write(b *batch) {
	refused, err := w.attempt(b)
	for range maxStale {
		if !errors.Is(err, errStale) {
			break
		}
		refused, err = w.attempt(b)
	}
	var again []*job
	switch {
	case err == nil && len(refused) == 0, len(b.jobs) == 1, affectsBatch(err):
		answer(b.jobs, refused, err)
		return
	case err != nil:
		again = b.jobs
	default:
		var rest []*job
		for i, j := range b.jobs {
			if refused[i] != nil {
				again = append(again, j)
			} else {
				rest = append(rest, j)
			}
		}
		if len(rest) != 0 {
			w.write(&batch{jobs: rest})
		}
	}
	for _, j := range again {
		w.write(&batch{jobs: []*job{j}})
	}
}

func answer(jobs []*job, refused map[int]error, err error) {
	for i, j := range jobs {
		j.done <- cmp.Or(refused[i], err)
	}
}

// affectsBatch reports whether retrying the jobs singly would fail alike.
func affectsBatch(err error) bool {
	_, busy := errors.AsType[*BusyError](err)
	_, clock := errors.AsType[*ClockError](err)
	return busy || clock || elsewhere(err) || errors.Is(err, syscall.ENOSPC)
}

// attempt writes the jobs in one transaction, or none if some are refused.
func (w *writer) attempt(b *batch) (refused map[int]error, err error) {
	t, err := w.begin()
	if err == nil {
		w.join(b)
		refused, err = w.carryOut(t, b.jobs)
	}
	if t == nil || t.broken {
		w.drop()
	}
	return refused, w.engine.explain(err)
}

func (w *writer) step() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), w.timeout)
}

// begin starts a transaction, on the last connection. If that is broken, because the server was
// restarted, or leads to a read-only server, it takes another: nothing has been sent yet.
func (w *writer) begin() (*transaction, error) {
	ctx, cancel := w.step()
	defer cancel()
	if w.session != nil {
		t, err := w.beginOn(ctx, w.session)
		if !elsewhere(w.engine.explain(err)) {
			return t, err
		}
		w.drop()
	}
	var err error
	if w.session, err = newSession(ctx, w.db, w.engine); err != nil {
		return nil, err
	}
	return w.beginOn(ctx, w.session)
}

// carryOut runs the jobs and commits, or rolls back after an error or a refusal.
func (w *writer) carryOut(t *transaction, batch []*job) (refused map[int]error, err error) {
	ctx, cancel := w.step()
	if alone := batch[0].alone; alone != nil {
		err = alone(ctx, t)
	} else {
		refused, err = t.insert(ctx, batch)
	}
	cancel()
	ctx, cancel = w.step() // a new one: a restore ignores the deadline of the other
	defer cancel()
	if err != nil || len(refused) != 0 {
		t.rollback(ctx)
		if len(batch) == 1 && err == nil && !t.broken {
			refused[0], err = t.explain(ctx, refused[0])
		}
		return refused, err
	}
	return nil, t.commit(ctx)
}

// errStale is returned if a rule refused a record and would allow it now: the ledger has changed
// since.
var errStale = errors.New("the ledger changes all the time; try again")

// maxStale bounds the retries of such a record.
const maxStale = 5

// explain finds out why a record was refused, after the transaction.
func (t *transaction) explain(ctx context.Context, refused error) (why, err error) {
	r, ok := errors.AsType[*refusedRecord](refused)
	if !ok {
		return refused, nil
	}
	why = r.reason(ctx, t.session, r.record)
	if why == nil {
		return nil, errStale
	}
	return why, nil
}

// drop discards the connection; the next attempt takes another.
func (w *writer) drop() {
	if w.session != nil {
		_ = w.session.close(true) // its error has been reported
		w.session = nil
	}
}

// close waits until the queue is empty.
func (w *writer) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.closed = true
	w.mu.Unlock()
	w.idle.Wait()
	if w.session == nil {
		return nil
	}
	return w.session.close(false)
}
