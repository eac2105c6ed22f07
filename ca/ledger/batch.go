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

// stepTimeout bounds each step of a transaction with a server that neither answers nor breaks:
// its begin, what it does, and its end.
const stepTimeout = time.Minute

// writer is the queue of what is to be written. Whoever finds nobody writing starts a
// goroutine that writes until the queue is empty: a lone caller does not wait for others,
// and what comes while a commit is on its way to the disk, or while another process has the
// lock of the head, goes into the next one together.
type writer struct {
	db       *sql.DB
	engine   *engine
	readOnly bool
	timeout  time.Duration // of a step
	now      func() time.Time
	anyClock bool // the server's clock does not matter

	mu      sync.Mutex
	queue   []*job
	running bool
	closed  bool
	idle    sync.WaitGroup
	session *session // of the goroutine that writes
}

// run writes until nothing is queued.
func (w *writer) run() {
	defer w.idle.Done()
	for {
		b := w.take()
		if b == nil {
			return
		}
		w.write(b)
		runtime.Gosched() // those who got their answer may have more, for one commit
	}
}

// write carries the jobs out and answers each. A certificate that a rule refuses, or that spoils
// the transaction of the others, is tried again alone, after them: what it is told then is what
// the ledger holds for good.
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

// attempt writes the jobs in one transaction, or nothing when some are refused.
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

// begin starts a transaction, on the connection of the last one. Where that is gone, because
// the server has ended since, or leads to one that only reads, it takes another: nothing was
// asked of the server yet.
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

// carryOut ends the transaction: with a commit, or when something is wrong without a trace.
func (w *writer) carryOut(t *transaction, batch []*job) (refused map[int]error, err error) {
	ctx, cancel := w.step()
	if alone := batch[0].alone; alone != nil {
		err = alone(ctx, t)
	} else {
		refused, err = t.insert(ctx, batch)
	}
	cancel()
	ctx, cancel = w.step() // of its own, since a restore takes long and does not heed the other
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

// errStale says that a rule refused a record and would not any more: the ledger has changed since.
var errStale = errors.New("the ledger changes all the time; try again")

// maxStale bounds how often such a record is tried.
const maxStale = 5

// explain finds out why a record was refused, once the transaction is over.
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

// drop gives up the connection; the next attempt takes another.
func (w *writer) drop() {
	if w.session != nil {
		_ = w.session.close(true) // what went wrong with it has been said
		w.session = nil
	}
}

// close waits for the queue to empty.
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
