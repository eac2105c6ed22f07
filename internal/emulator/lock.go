package emulator

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that another process uses a state folder.
var ErrLocked = errors.New("another emulator uses this state folder")

// LockState takes a state folder for this process, and makes it (0700) when missing, until
// unlock is called or the process ends, however it ends: nothing stale is left. It fails with
// ErrLocked when another has it. Take it before [New] reads the folder. Systems and file
// systems without flock lock nothing.
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
		unlockFile(f) // closing alone would leave it to a child that is just being started
		f.Close()
	}, nil
}
