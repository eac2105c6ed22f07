package state

import (
	"errors"
	"os"
	"slices"
	"sync"
)

// maxWaiting bounds the files that wait to be written. A caller that adds another one writes it itself.
const maxWaiting = 4096

// Writer writes files for callers that go on meanwhile. One goroutine writes what waits, in the order in which it came,
// and of several contents of one file the last. It ends when nothing waits, so that a Writer needs no Close; but
// before the process ends, [Writer.Flush] must be called. The zero Writer is ready for use, and safe for concurrent use.
type Writer struct {
	replace func(path string, data []byte) error // instead of [Replace] in tests

	disk sync.Mutex // held while a file is written; taken before mu

	mu      sync.Mutex
	waiting map[string][]byte // contents by path; nil: the file is to be removed
	order   []string          // the paths in waiting, those that have waited longest first
	writing string            // the file that was taken from waiting and is with the disk
	ended   chan struct{}     // closed when the goroutine ends; nil: there is none
	failed  error             // of the last file that could not be written, which still waits
	report  func(error)       // see Report
}

// Report has a function called with the [*WriteError] of each file that could not be written while the callers of Later
// went on, so that nobody has the error yet. It is called from another goroutine.
func (w *Writer) Report(report func(error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report = report
}

// Later has a file written, atomically; nil data removes it. After a file could not be written, Later writes itself, and
// returns the error if there is one again.
func (w *Writer) Later(path string, data []byte) error {
	w.mu.Lock()
	if w.failed != nil || len(w.waiting) >= maxWaiting {
		w.mu.Unlock()
		return w.Now(path, data)
	}
	defer w.mu.Unlock()
	if _, ok := w.waiting[path]; !ok {
		w.order = append(w.order, path)
	}
	if w.waiting == nil {
		w.waiting = map[string][]byte{}
	}
	w.waiting[path] = data
	w.start()
	return nil
}

// Now writes a file before it returns, in the place of what waits for it; nil data removes it. It waits for the file that
// is being written, and for those of other callers of Now that came before it, but not for those that wait.
func (w *Writer) Now(path string, data []byte) error {
	w.disk.Lock()
	defer w.disk.Unlock()
	before, waited := w.take(path)
	err := w.write(path, data)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = ""
	if err == nil {
		w.failed = nil
		w.start()
	} else if waited {
		w.putBack(path, before)
	}
	return err
}

// take returns what waits for a file, which does not wait any more.
func (w *Writer) take(path string) (data []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	data, ok = w.waiting[path]
	if ok {
		delete(w.waiting, path)
		w.order = slices.DeleteFunc(w.order, func(p string) bool { return p == path })
		w.writing = path
	}
	return data, ok
}

// putBack lets a file that could not be written wait again, unless it has a newer content by now. The caller holds mu.
func (w *Writer) putBack(path string, data []byte) {
	if _, newer := w.waiting[path]; !newer {
		w.waiting[path] = data
		w.order = append(w.order, path)
	}
}

// start starts the goroutine if there is none and something waits. The caller holds mu.
func (w *Writer) start() {
	if w.ended == nil && len(w.waiting) > 0 {
		w.ended = make(chan struct{})
		go w.run(w.ended)
	}
}

// run writes until nothing waits, or a file cannot be written.
func (w *Writer) run(ended chan struct{}) {
	defer close(ended)
	for w.next() {
	}
}

// next writes one file, and reports whether to go on.
func (w *Writer) next() bool {
	path, ok, err := w.writeFirst()
	if err == nil {
		return ok
	}
	w.mu.Lock()
	report := w.report
	w.mu.Unlock()
	if report != nil {
		report(newWriteError(path, err))
	}
	return false
}

// writeFirst writes the file that has waited longest, if there is one.
func (w *Writer) writeFirst() (path string, ok bool, err error) {
	w.disk.Lock()
	defer w.disk.Unlock()
	path, data, ok := w.first()
	if !ok {
		return "", false, nil
	}
	err = w.write(path, data)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = ""
	if err != nil {
		w.failed, w.ended = err, nil
		w.putBack(path, data)
	}
	return path, true, err
}

// first takes the file that has waited longest. If there is none, the goroutine ends.
func (w *Writer) first() (path string, data []byte, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		w.order, w.ended = nil, nil // and the array of the order
		return "", nil, false
	}
	path, w.order = w.order[0], w.order[1:]
	data = w.waiting[path]
	delete(w.waiting, path)
	w.writing = path
	return path, data, true
}

func (w *Writer) write(path string, data []byte) error {
	switch {
	case w.replace != nil:
		return w.replace(path, data)
	case data != nil:
		return Replace(path, data)
	}
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
