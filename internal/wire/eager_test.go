package wire

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// TestEager: what is there is read, what comes late is waited for, and the end is told.
func TestEager(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{0, 10 * time.Microsecond, 5 * time.Millisecond} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		const n = 3 * Few
		go func() {
			defer w.Close()
			for i := range n {
				time.Sleep(pause)
				w.Write([]byte{byte(i)})
			}
		}()
		got, err := io.ReadAll(Eager(r))
		if err != nil || len(got) != n {
			t.Fatalf("pause %s: %d bytes, %v", pause, len(got), err)
		}
		for i, b := range got {
			if b != byte(i) {
				t.Fatalf("pause %s: byte %d is %d", pause, i, b)
			}
		}
	}
}

// TestEager_closed: closing the pipe ends a reader that waits, at its first reads and later.
func TestEager_closed(t *testing.T) {
	t.Parallel()
	for _, before := range []int{0, 2 * Few} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		eager := Eager(r)
		for range before {
			w.Write([]byte{0})
			if _, err := io.ReadFull(eager, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() {
			_, err := eager.Read(make([]byte, 1))
			ended <- err
		}()
		time.Sleep(time.Millisecond) // either order is right
		r.Close()
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("after %d reads: %v", before, err)
		}
	}
}
