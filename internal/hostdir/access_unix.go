//go:build unix

package hostdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// checkAccess checks that this user alone writes to a folder.
func checkAccess(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(stat.Uid) != os.Geteuid() {
		owner := userName(int(stat.Uid))
		return &FolderError{Path: path, Owner: owner, Problem: "belongs to the user " + owner + ", and not to " + userName(os.Geteuid())}
	}
	if info.Mode().Perm()&0o022 != 0 {
		return &FolderError{Path: path, Problem: "can be written to by other users"}
	}
	return nil
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// apply sets the mode of a file or folder, and its group.
func (a Access) apply(path string, mode fs.FileMode) error {
	if a.ByGroup {
		if err := os.Lchown(path, -1, a.Group); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
}

// accessOf returns the access that a key file gives.
func accessOf(info fs.FileInfo) Access {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o040 == 0 {
		return Access{}
	}
	return Access{Group: int(stat.Gid), ByGroup: true}
}

// GroupAccess lets a group, given by name or number, read what is written.
func GroupAccess(name string) (Access, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		if g, err = user.LookupGroupId(name); err != nil {
			return Access{}, fmt.Errorf("there is no group %q", name)
		}
	}
	id, err := strconv.Atoi(g.Gid)
	return Access{Group: id, ByGroup: true}, err
}

// unreadable explains why a file below a folder could not be read for lack of permission: it names the
// first file or folder on the path that refuses it, and its owner, who can read it. Other errors are
// returned unchanged.
func unreadable(folder, file string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	obstacle := file
	info, statErr := os.Lstat(obstacle)
	for errors.Is(statErr, fs.ErrPermission) && obstacle != filepath.Dir(obstacle) {
		obstacle = filepath.Dir(obstacle)
		info, statErr = os.Lstat(obstacle)
	}
	stat, ok := (*syscall.Stat_t)(nil), false
	if statErr == nil {
		stat, ok = info.Sys().(*syscall.Stat_t)
	}
	if !ok {
		return err
	}
	refused := &FolderError{Path: folder, Problem: fmt.Sprintf("cannot be read by %s: %s belongs to %s and has mode %04o", userName(os.Geteuid()), obstacle, userName(int(stat.Uid)), info.Mode().Perm())}
	if int(stat.Uid) != os.Geteuid() {
		refused.Owner = userName(int(stat.Uid))
	}
	return refused
}
