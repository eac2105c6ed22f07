package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// readableByOthers reports whether more than the owner can read a file of this mode. Windows
// has no such bits; its access lists are not looked at.
func readableByOthers(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o077 != 0
}

// DescribeAccess says, for a path that could not be opened for lack of permission, who owns
// what is in the way, its mode, and which user this process runs as. It is empty where the
// system has no such notions.
func DescribeAccess(path string) string {
	obstacle, info := path, fs.FileInfo(nil)
	for {
		var err error
		if info, err = os.Stat(obstacle); err == nil {
			break
		}
		// A folder that may not be entered hides what is in it: say which one.
		parent := filepath.Dir(obstacle)
		if parent == obstacle || !errors.Is(err, fs.ErrPermission) {
			return ""
		}
		obstacle = parent
	}
	owner, me := ownerOf(info)
	if owner == "" {
		return ""
	}
	return fmt.Sprintf("%s has mode %04o and belongs to %s; this process runs as %s", obstacle, info.Mode().Perm(), owner, me)
}
