//go:build unix

package hostfiles

import (
	"io/fs"
	"os"
	"syscall"
)

// sharedMode returns the mode of a key that takes the place of another: whoever may read that may
// read the new one, but for users outside its group. ok is false if the file is another user's.
func sharedMode(old *os.File) (mode fs.FileMode, ok bool) {
	info, err := old.Stat()
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm() & 0o660, ok && int(stat.Uid) == os.Geteuid()
}
