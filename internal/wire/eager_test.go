package wire

import (
	"io"
	"testing"
	"time"
)

// TestEager: what is there is read, what comes late is waited for, and the end is told; by its first
// reads and later.
func TestEager(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{0, 10 * time.Microsecond, 5 * time.Millisecond} {
		r, w, err := Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		const n = 3 * Few
		go func() {
			defer w.Close() // as late as the rest
			for i := range n {
				time.Sleep(pause)
				w.Write([]byte{byte(i)})
			}
			time.Sleep(pause)
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
