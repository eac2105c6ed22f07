package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// slowDisk writes a file whenever the test lets it.
type slowDisk struct {
	proceed chan error // what the next write returns
	mu      sync.Mutex
	written []string
}

func (d *slowDisk) replace(path string, data []byte) error {
	select {
	case err := <-d.proceed:
		if err != nil {
			return err
		}
	case <-time.After(10 * time.Second):
		return errors.New("the test lets nothing be written")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written = append(d.written, fmt.Sprintf("%s=%s", path, data))
	return nil
}

// TestWriter: callers do not wait for the disk; of several contents of a file the last is written.
func TestWriter(t *testing.T) {
	t.Parallel()
	d := &slowDisk{proceed: make(chan error)}
	w := &Writer{replace: d.replace}
	for i := range 3 {
		for _, path := range []string{"a", "b", "c"} {
			if err := w.Later(path, fmt.Append(nil, i)); err != nil { // the disk has written nothing yet
				t.Fatal(err)
			}
		}
	}
	close(d.proceed)
	if err := w.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	slices.Sort(d.written)
	// The first one may have been taken before its second content came.
	if last := d.written[len(d.written)-3:]; len(d.written) > 4 || !slices.Equal(last, []string{"a=2", "b=2", "c=2"}) {
		t.Errorf("written: %q", d.written)
	}
	w.rest()
	if w.ended != nil || len(w.waiting) > 0 || len(w.order) > 0 {
		t.Error("an idle writer is not at rest")
	}
}

// TestWriter_now: what is written at once counts, and not what waited for its file.
func TestWriter_now(t *testing.T) {
	t.Parallel()
	d := &slowDisk{proceed: make(chan error)}
	w := &Writer{replace: d.replace}
	for _, path := range []string{"a", "b"} {
		if err := w.Later(path, []byte("old")); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- w.Now("b", []byte("new")) }()
	for range 2 { // a, and b by Now or by the goroutine
		d.proceed <- nil
	}
	close(d.proceed)
	if err := errors.Join(<-done, w.Flush(t.Context())); err != nil {
		t.Error(err)
	}
	if !slices.Contains(d.written, "b=new") || d.written[len(d.written)-1] == "b=old" {
		t.Errorf("written: %q", d.written)
	}
}

// TestWriter_newer: what comes while its file is written at once is not lost.
func TestWriter_newer(t *testing.T) {
	t.Parallel()
	d := &slowDisk{proceed: make(chan error)}
	w := &Writer{replace: func(path string, data []byte) error {
		if string(data) == "1" {
			d.proceed <- nil // Now is at the disk
		}
		return d.replace(path, data)
	}}
	done := make(chan error)
	go func() { done <- w.Now("a", []byte("1")) }()
	<-d.proceed
	if err := w.Later("a", []byte("2")); err != nil {
		t.Fatal(err)
	}
	close(d.proceed)
	if err := errors.Join(<-done, w.Flush(t.Context())); err != nil {
		t.Error(err)
	}
	if !slices.Equal(d.written, []string{"a=1", "a=2"}) {
		t.Errorf("written: %q", d.written)
	}
}

// TestWriter_failed: what could not be written waits, callers hear of it, and it is written as soon as it can.
func TestWriter_failed(t *testing.T) {
	t.Parallel()
	d, full := &slowDisk{proceed: make(chan error, 10)}, errors.New("full")
	w := &Writer{replace: d.replace}
	d.proceed <- full
	if err := w.Later("a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	w.rest()
	d.proceed <- full
	if err := w.Flush(t.Context()); !errors.Is(err, full) {
		t.Fatalf("flush: %v", err)
	}
	d.proceed <- full
	if err := w.Later("b", []byte("1")); !errors.Is(err, full) {
		t.Errorf("later: %v", err)
	}
	for range 2 {
		d.proceed <- nil
	}
	if err := errors.Join(w.Later("c", []byte("1")), w.Flush(t.Context())); err != nil {
		t.Error(err)
	}
	if !slices.Equal(d.written, []string{"c=1", "a=1"}) {
		t.Errorf("written: %q", d.written)
	}
}

// rest waits until the goroutine has ended.
func (w *Writer) rest() {
	w.mu.Lock()
	ended := w.ended
	w.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// TestWriter_bounded: more files than may wait are written by those who add them.
func TestWriter_bounded(t *testing.T) {
	t.Parallel()
	d := &slowDisk{proceed: make(chan error)}
	w := &Writer{replace: d.replace}
	for i := range maxWaiting + 1 { // one of them is with the disk
		if err := w.Later(fmt.Sprint(i), []byte("1")); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			for waits := true; waits; {
				w.mu.Lock()
				waits = len(w.waiting) > 0
				w.mu.Unlock()
			}
		}
	}
	done := make(chan error)
	go func() { done <- w.Later("one more", []byte("1")) }()
	select {
	case <-done:
		t.Fatal("more files wait than may")
	case <-time.After(100 * time.Millisecond):
	}
	close(d.proceed)
	if err := errors.Join(<-done, w.Flush(t.Context())); err != nil || len(d.written) != maxWaiting+2 {
		t.Errorf("%d files, error %v", len(d.written), err)
	}
}

// TestWriter_files: files are replaced and removed.
func TestWriter_files(t *testing.T) {
	t.Parallel()
	w, path := &Writer{}, filepath.Join(t.TempDir(), "a")
	for _, want := range []string{"1", "2"} {
		if err := errors.Join(w.Later(path, []byte(want)), w.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	for range 2 {
		if err := errors.Join(w.Later(path, nil), w.Flush(t.Context())); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
}
