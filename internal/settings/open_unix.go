//go:build unix

package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// noWait keeps a pipe in the place of the file from being waited for.
const noWait = syscall.O_NONBLOCK

// changeableBy says who else can change the file, as the end of a sentence about it; empty for
// nobody but root and this process's user.
func changeableBy(info fs.FileInfo) string {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Sprintf("can be changed by other users (mode %04o)", info.Mode().Perm())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Sprintf("belongs to another user (uid %d), who can change it", stat.Uid)
	}
	return ""
}

// isNotDirectory tells that a file stands where a folder is looked for.
func isNotDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
