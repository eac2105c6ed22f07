//go:build unix

package atomicfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkLink refuses a symbolic link that could be a trap: one that belongs neither to this user nor
// to the owner of its folder, where everybody can make files but remove only their own. That is the
// rule of Linux (proc(5), protected_symlinks), which is not asked when links are read one by one,
// and which other systems do not have.
func checkLink(path string) error {
	link, err := os.Lstat(path)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return nil // whoever opens it finds out
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if folder.Mode()&fs.ModeSticky == 0 || folder.Mode().Perm()&0o002 == 0 {
		return nil
	}
	owner := userOf(link)
	if owner == os.Geteuid() || owner == userOf(folder) {
		return nil
	}
	return fmt.Errorf("%s is a symbolic link of another user (uid %d) in a folder that everybody can write to: it is not followed", path, owner)
}

func userOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}
