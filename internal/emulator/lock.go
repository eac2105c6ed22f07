package emulator

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked is returned if another process uses a state folder.
var ErrLocked = errors.New("another emulator uses this state folder")

// LockState locks a state folder for this process, and creates it (0700) if missing, until unlock
// is called or the process ends, however it ends: there is no stale lock. If another process has
// it, the error is ErrLocked. Call it before [New] reads the folder. On systems and file systems
// without flock it locks nothing.
func LockState(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if !lockFile(f) {
		f.Close()
		return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
	}
	return func() {
		unlockFile(f) // after close alone, a child that is just being started would keep it
		f.Close()
	}, nil
}
