//go:build unix

package cache

import (
	"io/fs"
	"os"
	"syscall"
)

const (
	hasModes = true
	// noFollow makes opening fail at a symbolic link, and not block on a named pipe.
	noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
)

func isMine(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
