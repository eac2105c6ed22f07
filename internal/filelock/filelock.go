// Package filelock lets one of several processes, or goroutines, work on what a file stands
// for, while the others wait.
//
// A lock ends with its process, however that ends: nothing stale is left. It binds those alone
// who ask for it; reading and replacing the file is possible all the time. Systems and file
// systems that have no locks lock nothing.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// HeldError says that somebody else had the lock all the time.
type HeldError struct {
	Path   string
	Waited time.Duration
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is being worked on by another process, for more than %s", e.Path, e.Waited)
}

// The times between two attempts.
const (
	shortest = time.Millisecond
	longest  = 50 * time.Millisecond
)

// Lock takes the lock of the file at path, which must exist, and returns what ends it. It waits
// for others no longer than patience, after which it fails with a *HeldError. What it locks is
// the file that path names in the end: one that was put there, or taken away, while it waited
// is noticed, and the latter is fs.ErrNotExist.
func Lock(ctx context.Context, path string, patience time.Duration) (unlock func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := shortest; ; pause = min(2*pause, longest) {
		unlock, err := try(path)
		if unlock != nil || err != nil {
			return unlock, err
		}
		select {
		case <-time.After(pause):
		case <-waiting.Done():
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("lock %s: %w", path, err)
			}
			return nil, &HeldError{Path: path, Waited: patience}
		}
	}
}

// try returns nil twice when another has the lock, or path names another file by now.
func try(path string) (unlock func(), err error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	if !lock(f) {
		return nil, f.Close()
	}
	unlock = func() {
		release(f) // closing alone would leave it to a child that is just being started
		f.Close()
	}
	same, err := names(path, f)
	if err != nil || !same {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func names(path string, f *os.File) (bool, error) {
	now, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	locked, err := f.Stat()
	return err == nil && os.SameFile(now, locked), err
}

// openEither opens a file to write it, which a lock needs on some network file systems, or to
// read it where that is not allowed.
func openEither(path string, open func(path string, flag int) (*os.File, error)) (*os.File, error) {
	f, err := open(path, os.O_RDWR)
	if errors.Is(err, fs.ErrPermission) {
		return open(path, os.O_RDONLY)
	}
	return f, err
}
