package ledger

import (
	"context"
	"fmt"
)

// job is something to write: a certificate, which can share a transaction with others, or anything
// else, which gets its own.
type job struct {
	record  *record
	alone   func(context.Context, *transaction) error
	receipt Receipt    // of record, when done
	done    chan error // receives the result; has room for it
}

// batch is the jobs that share a transaction.
type batch struct {
	jobs []*job
	open bool // jobs queued before the transaction begins join it
}

// submit queues a job and waits for its result, or until ctx is done. A job that is still in the
// queue then will not be written; another may be.
func (w *writer) submit(ctx context.Context, j *job) error {
	if w.readOnly {
		return fmt.Errorf("write the ledger %s: it was opened to only read", w.engine.where)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan error, 1)
	if err := w.enqueue(j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		w.withdraw(j)
		return fmt.Errorf("write the ledger %s: %w", w.engine.where, ctx.Err())
	}
}

func (w *writer) enqueue(j *job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	w.queue = append(w.queue, j)
	if !w.running {
		w.running = true
		w.idle.Add(1)
		go w.run()
	}
	return nil
}

func (w *writer) withdraw(j *job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, queued := range w.queue {
		if queued == j {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			return
		}
	}
}

// take returns the next jobs for one transaction.
func (w *writer) take() *batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.running = false
		return nil
	}
	if w.queue[0].record == nil {
		b := &batch{jobs: w.queue[:1:1]}
		w.queue = w.queue[1:]
		return b
	}
	b := &batch{open: true}
	w.fill(b)
	return b
}

// join adds the jobs that were queued while the transaction waited for the head lock.
func (w *writer) join(b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.open {
		w.fill(b)
	}
	b.open = false
}

// fill moves certificates from the queue to a batch; the caller holds mu.
func (w *writer) fill(b *batch) {
	for len(w.queue) > 0 && len(b.jobs) < maxBatch && w.queue[0].record != nil {
		b.jobs = append(b.jobs, w.queue[0])
		w.queue = w.queue[1:]
	}
}
