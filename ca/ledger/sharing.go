package ledger

import (
	"context"
	"sync"
)

// sharing answers calls with few reads: a call is answered by a read that begins after it, together
// with all others that came while the read before was on. So nothing is older than the call.
type sharing[K, V any] struct {
	read func(context.Context, []K) (V, error)

	mu      sync.Mutex
	next    *reading[K, V] // which has not begun; nil: none
	running bool
}

// reading is a read with the keys of all calls that it answers.
type reading[K, V any] struct {
	keys  []K
	done  chan struct{}
	value V
	err   error
}

// get returns what a read that includes a key returned. Callers share it and must not change it.
func (t *sharing[K, V]) get(ctx context.Context, key K) (value V, err error) {
	t.mu.Lock()
	if t.next == nil {
		t.next = &reading[K, V]{done: make(chan struct{})}
	}
	r := t.next
	r.keys = append(r.keys, key)
	if !t.running {
		t.running = true
		go t.run()
	}
	t.mu.Unlock()
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// run reads until no call waits.
func (t *sharing[K, V]) run() {
	for r := t.take(); r != nil; r = t.take() {
		ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
		r.value, r.err = t.read(ctx, r.keys)
		cancel()
		close(r.done)
	}
}

func (t *sharing[K, V]) take() *reading[K, V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.next
	t.next, t.running = nil, r != nil
	return r
}

func anys[T any](values []T) (all []any) {
	for _, v := range values {
		all = append(all, v)
	}
	return all
}
