//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// folder is an open folder. Its methods act on that folder, even if its path has come to mean
// another one, and follow no symbolic link in it.
type folder struct {
	fd   int
	path string // for messages; "" is the current folder
}

// entry describes a name in a folder.
type entry struct {
	mode     fs.FileMode
	uid, gid int
	modTime  time.Time
}

// openTop opens the folder at which a path starts: "/", or "" for the current one.
func openTop(path string) (*folder, error) { return openFolderAt(unix.AT_FDCWD, path, path) }

func openFolderAt(fd int, name, path string) (*folder, error) {
	if name == "" {
		name = "."
	}
	opened, err := openAt(fd, name, searchOnly()|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &folder{opened, path}, nil
}

// openAt follows no symbolic link and does not block on a named pipe.
func openAt(fd int, name string, flag int, mode fs.FileMode) (int, error) {
	for {
		opened, err := unix.Openat(fd, name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, uint32(mode.Perm()))
		if !errors.Is(err, unix.EINTR) {
			return opened, err
		}
	}
}

func (d *folder) close() error { return unix.Close(d.fd) }

func (d *folder) join(name string) string { return filepath.Join(d.path, name) }

// open opens a folder in this one.
func (d *folder) open(name string) (*folder, error) { return openFolderAt(d.fd, name, d.join(name)) }

// openFile opens a file in the folder.
func (d *folder) openFile(name string, flag int, mode fs.FileMode) (*os.File, error) {
	fd, err := openAt(d.fd, name, flag, mode)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: d.join(name), Err: err}
	}
	return os.NewFile(uintptr(fd), d.join(name)), nil
}

// lstat returns the attributes of the entry name, following no link; "." is the folder itself.
func (d *folder) lstat(name string) (entry, error) {
	var stat unix.Stat_t
	if err := unix.Fstatat(d.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return entry{}, &fs.PathError{Op: "lstat", Path: d.join(name), Err: err}
	}
	return entryOf(&stat), nil
}

func entryOf(stat *unix.Stat_t) entry {
	e := entry{uid: int(stat.Uid), gid: int(stat.Gid), mode: fs.FileMode(stat.Mode & 0o777), modTime: time.Unix(stat.Mtim.Unix())}
	switch uint32(stat.Mode) & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		e.mode |= fs.ModeDir
	case unix.S_IFLNK:
		e.mode |= fs.ModeSymlink
	default:
		e.mode |= fs.ModeIrregular
	}
	if uint32(stat.Mode)&unix.S_ISVTX != 0 {
		e.mode |= fs.ModeSticky
	}
	return e
}

// readlinkAt returns the target of a link.
func readlinkAt(fd int, name string) (string, error) {
	buffer := make([]byte, 4096) // PATH_MAX
	n, err := unix.Readlinkat(fd, name, buffer)
	if err == nil && n == len(buffer) {
		err = unix.ENAMETOOLONG
	}
	return string(buffer[:max(n, 0)]), err
}

func (d *folder) mkdir(name string, mode fs.FileMode) error {
	if err := unix.Mkdirat(d.fd, name, uint32(mode.Perm())); err != nil && !errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "mkdir", Path: d.join(name), Err: err}
	}
	return nil
}

func (d *folder) rename(from, to string) error { return unix.Renameat(d.fd, from, d.fd, to) }

func (d *folder) link(from, to string) error { return unix.Linkat(d.fd, from, d.fd, to, 0) }

func (d *folder) remove(name string) error {
	if err := unix.Unlinkat(d.fd, name, 0); err != nil {
		return &fs.PathError{Op: "remove", Path: d.join(name), Err: err}
	}
	return nil
}

// createTemp creates a file with a new name that begins with prefix.
func (d *folder) createTemp(prefix string) (*os.File, string, error) {
	for {
		name := prefix + strconv.FormatUint(uint64(rand.Uint32()), 10)
		f, err := d.openFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, name, err
		}
	}
}

// names lists the folder.
func (d *folder) names() ([]string, error) {
	f, err := d.openFile(".", os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// sync makes names in the folder durable, where possible: a folder without read permission cannot
// be opened for it, and some file systems cannot sync folders.
func (d *folder) sync() error {
	f, err := d.openFile(".", os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
