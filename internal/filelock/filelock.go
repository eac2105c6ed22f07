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

// HeldError reports that somebody else had the lock all the time.
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
// for others no longer than lockTimeout, after which it fails with a *HeldError. What it locks is
// the file that path names in the end: one that was put there, or taken away, while it waited
// is noticed, and the latter is fs.ErrNotExist. A symbolic link is an error.
func Lock(ctx context.Context, path string, lockTimeout time.Duration) (unlock func(), err error) {
	return byPath(path).lock(ctx, lockTimeout)
}

func byPath(path string) file {
	return file{
		path: path,
		open: func(flag int) (*os.File, error) { return open(path, flag) },
		stat: func() (fs.FileInfo, error) { return os.Lstat(path) },
	}
}

// LockOpened is Lock for a file that open opens, with the flags of os.OpenFile that it is given: in an open
// folder, say. It must follow no symbolic link, and always open what is in the same place. Path is
// for messages.
func LockOpened(ctx context.Context, path string, open func(flag int) (*os.File, error), lockTimeout time.Duration) (unlock func(), err error) {
	return file{path: path, open: open, stat: func() (fs.FileInfo, error) {
		f, err := open(os.O_RDONLY)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return f.Stat()
	}}.lock(ctx, lockTimeout)
}

// file is what is to be locked.
type file struct {
	path string
	open func(flag int) (*os.File, error)
	stat func() (fs.FileInfo, error) // what is in its place now
}

func (l file) lock(ctx context.Context, lockTimeout time.Duration) (unlock func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for pause := shortest; ; pause = min(2*pause, longest) {
		unlock, err := l.try()
		if unlock != nil || err != nil {
			return unlock, err
		}
		select {
		case <-time.After(pause):
		case <-waiting.Done():
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("lock %s: %w", l.path, err)
			}
			return nil, &HeldError{Path: l.path, Waited: lockTimeout}
		}
	}
}

// try returns nil twice when another has the lock, or another file is in the place by now.
func (l file) try() (unlock func(), err error) {
	f, err := l.openEither()
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
	same, err := l.isStill(f)
	if err != nil || !same {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func (l file) isStill(f *os.File) (bool, error) {
	now, err := l.stat()
	if err != nil {
		return false, err
	}
	locked, err := f.Stat()
	return err == nil && os.SameFile(now, locked), err
}

// openEither opens the file to write it, which a lock needs on some network file systems, or to
// read it where that is not allowed.
func (l file) openEither() (*os.File, error) {
	f, err := l.open(os.O_RDWR)
	if errors.Is(err, fs.ErrPermission) {
		return l.open(os.O_RDONLY)
	}
	return f, err
}
