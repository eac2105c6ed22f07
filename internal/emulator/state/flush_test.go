package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// TestWriter_flushOthers: a file that cannot be written stops no other; the error has their number.
func TestWriter_flushOthers(t *testing.T) {
	t.Parallel()
	tried := map[string]int{}
	w := &Writer{replace: func(path string, _ []byte) error {
		tried[path]++
		if strings.HasPrefix(path, "s/bad") {
			return syscall.EACCES
		}
		return nil
	}}
	w.waiting = map[string][]byte{}
	w.mu.Lock() // as after a failure: no goroutine writes
	for _, path := range []string{"s/bad1", "s/a", "s/bad2", "s/b"} {
		w.putBack(path, []byte("1"))
	}
	w.mu.Unlock()
	err := w.Flush(t.Context())
	want := "2 files were not written into the state folder s: this user may not write there"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got := fmt.Sprint(tried); got != "map[s/a:1 s/b:1 s/bad1:1 s/bad2:1]" {
		t.Errorf("tried: %s", got)
	}
	if got := fmt.Sprint(w.order); got != "[s/bad1 s/bad2]" {
		t.Errorf("waiting: %s", got)
	}
}

// TestWriter_flushDeadline: a disk that does not answer holds nobody; the error has how many files are not written, with the
// one that the disk has.
func TestWriter_flushDeadline(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan bool, 10), make(chan error)
	w := &Writer{replace: func(string, []byte) error {
		asked <- true
		return <-answer
	}}
	for i := range 3 {
		if err := w.Later(fmt.Sprintf("s/%d", i), []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := w.Flush(ctx)
	if _, ok := errors.AsType[*WriteError](err); !ok || err.Error() != "3 files were not written into the state folder s: the disk takes too long" {
		t.Errorf("%v", err)
	}
	close(answer)
	if err := w.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWriter_order: a file that cannot be written again and again waits once.
func TestWriter_order(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	w := &Writer{replace: func(string, []byte) error { return full }}
	if err := w.Later("a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	w.rest()
	for range 10 {
		if err := w.Later("a", []byte("2")); !errors.Is(err, full) {
			t.Fatal(err)
		}
	}
	if len(w.order) != 1 || len(w.waiting) != 1 {
		t.Errorf("%q waits", w.order)
	}
}
