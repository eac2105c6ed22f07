//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filelock

import (
	"errors"
	"os"
	"syscall"
)

func open(path string) (*os.File, error) {
	return openEither(path, func(path string, flag int) (*os.File, error) {
		return os.OpenFile(path, flag|syscall.O_NONBLOCK, 0) // a pipe does not wait for its other end
	})
}

// lock returns false when another open file has the lock. The lock goes with f.
func lock(f *os.File) bool {
	return !errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

func release(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
