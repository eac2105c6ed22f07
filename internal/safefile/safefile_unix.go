//go:build unix

package safefile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	// NoWait is a flag of os.OpenFile that keeps it from blocking on a named pipe.
	NoWait   = syscall.O_NONBLOCK
	noFollow = syscall.O_NOFOLLOW
)

// ChangeableBy returns which other users can change a file, as the end of a sentence about it, or
// "" if only root and this process's user can.
func ChangeableBy(info fs.FileInfo) string {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Sprintf("can be changed by other users (mode %04o)", info.Mode().Perm())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Sprintf("belongs to another user (uid %d), who can change it", stat.Uid)
	}
	return ""
}

// notOwn returns why a regular file is not this user's own, unchanged by others, or "".
func notOwn(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode().Perm()
	switch {
	case !ok:
		return "has no owner"
	case int(stat.Uid) != os.Geteuid():
		return fmt.Sprintf("belongs to another user (uid %d, mode %04o; this process runs as uid %d)", stat.Uid, mode, os.Geteuid())
	case mode&0o022 != 0:
		return fmt.Sprintf("can be changed by other users (mode %04o)", mode)
	}
	return ""
}

// links returns the number of hard links of a file.
func links(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}

// onTheWay returns by which folder or symbolic link of path another user can put another file in
// its place, as the end of a sentence about the file, or "".
func onTheWay(path string) (problem string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", err
	}
	at, left := "/", names(path)
	for links := 0; len(left) > 0; {
		name := left[0]
		left = left[1:]
		if name == ".." { // the resolved folder has no links
			at = filepath.Dir(at)
			continue
		}
		if problem, err := folderProblem(at); problem != "" || err != nil {
			return problem, err
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
		}
		if owner := ownerOf(info); !trusted(owner) {
			return fmt.Sprintf("is reached by %s, a symbolic link of another user (uid %d)", next, owner), nil
		}
		to, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		left = append(names(to), left...)
	}
	return "", nil
}

// folderProblem returns which other users can rename or remove files in a folder. In a sticky
// folder, a user can do that only to their own. A group with the same number as the folder's owner
// is that user's private group, the convention behind a umask of 002.
func folderProblem(folder string) (string, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", nil
	}
	others := fs.FileMode(0o022)
	if stat.Gid == stat.Uid {
		others = 0o002
	}
	switch {
	case !trusted(stat.Uid):
		return fmt.Sprintf("is in %s, a folder of another user (uid %d), who can put another file in its place", folder, stat.Uid), nil
	case info.Mode().Perm()&others != 0 && info.Mode()&fs.ModeSticky == 0 && !readOnly(folder):
		return fmt.Sprintf("is in %s, where other users can put another file in its place (mode %04o)", folder, info.Mode().Perm()), nil
	}
	return "", nil
}

// trusted reports whether uid is root or the user of this process.
func trusted(uid uint32) bool { return slices.Contains([]int{0, os.Geteuid()}, int(uid)) }

func ownerOf(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Uid
	}
	return 0
}

func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
