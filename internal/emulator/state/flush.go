package state

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
)

// Flush tries to write each file that waits once before it returns, or until ctx ends. The error is a [*WriteError] with
// the number of those that were not written: they still wait.
func (w *Writer) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- w.flush(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return w.unwritten(ctx.Err())
	}
}

func (w *Writer) flush(ctx context.Context) error {
	var folder string
	var errs []error
	for _, path := range w.paths() {
		if ctx.Err() != nil {
			return w.unwritten(ctx.Err())
		}
		if err := w.writeWaiting(path); err != nil {
			folder, errs = filepath.Dir(path), append(errs, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(errs) == 0 {
		w.failed = nil
		w.start()
		return nil
	}
	w.failed = errors.Join(errs...)
	return &WriteError{Folder: folder, Files: len(errs), Errs: errs}
}

// paths returns the files that wait, the oldest first. Meanwhile none is with the disk, from where it could come back.
func (w *Writer) paths() []string {
	w.disk.Lock()
	defer w.disk.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.order)
}

// writeWaiting writes what waits for a file, if anything does.
func (w *Writer) writeWaiting(path string) error {
	w.disk.Lock()
	defer w.disk.Unlock()
	data, ok := w.take(path)
	if !ok {
		return nil
	}
	err := w.write(path, data)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = ""
	if err != nil {
		w.putBack(path, data)
	}
	return err
}

// unwritten is the error about what waits, and what the disk has not finished; nil if there is nothing.
func (w *Writer) unwritten(why error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths := slices.Clone(w.order)
	if w.writing != "" {
		paths = append(paths, w.writing)
	}
	if len(paths) == 0 {
		return nil
	}
	return &WriteError{Folder: filepath.Dir(paths[0]), Files: len(paths), Errs: []error{why}}
}
