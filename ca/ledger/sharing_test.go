package ledger

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
)

// A call is answered by a read that begins after it, together with the others that wait.
func TestSharing(t *testing.T) {
	begun, release := make(chan []int), make(chan error)
	s := sharing[int, string]{read: func(_ context.Context, keys []int) (string, error) {
		begun <- slices.Clone(keys)
		return "read", <-release
	}}
	results := make(chan error)
	get := func(ctx context.Context, key int) { _, err := s.get(ctx, key); results <- err }
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.next == nil {
			return 0
		}
		return len(s.next.keys)
	}

	go get(t.Context(), 1)
	if keys := <-begun; !slices.Equal(keys, []int{1}) {
		t.Errorf("the first read has the keys %v", keys)
	}
	gone, leave := context.WithCancel(t.Context())
	go get(t.Context(), 2)
	go get(t.Context(), 3)
	go get(gone, 4)
	for waiting() != 3 {
		runtime.Gosched()
	}
	leave()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("a call that is given up: %v", err)
	}
	release <- nil
	if err := <-results; err != nil {
		t.Error(err)
	}
	keys := <-begun
	if slices.Sort(keys); !slices.Equal(keys, []int{2, 3, 4}) {
		t.Errorf("the second read has the keys %v", keys)
	}
	broken := errors.New("broken")
	release <- broken
	for range 2 {
		if err := <-results; !errors.Is(err, broken) {
			t.Errorf("%v, not the error of the read", err)
		}
	}
	go get(t.Context(), 5)
	if keys := <-begun; !slices.Equal(keys, []int{5}) {
		t.Errorf("after all the read has the keys %v", keys)
	}
	release <- nil
	if err := <-results; err != nil {
		t.Error(err)
	}
}
