package hostdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kedge/internal/filelock"
	"kedge/internal/safefile"
)

// The names in a folder.
const (
	pairPrefix  = "pair-"
	enrollName  = "enroll"
	renewPrefix = "renew-"
	stateName   = "state.json"
	lockName    = "lock"
	markName    = "renewed"

	CurrentName     = "current"  // the link to the pair in use
	KeyName         = "leaf.key" // in a pair
	CertificateName = "leaf.pem"
	BundleName      = "bundle.pem"
	recordName      = "identity.json"
)

// Access specifies which users besides the owner may read what is written. The zero Access is the owner
// alone.
type Access struct {
	Group   int  // the id of the group
	ByGroup bool // whether the group may read
}

func (a Access) file() fs.FileMode {
	if a.ByGroup {
		return 0o640
	}
	return 0o600
}

func (a Access) folder() fs.FileMode {
	if a.ByGroup {
		return 0o750
	}
	return 0o700
}

// FolderError reports why a folder cannot be used for an identity.
type FolderError struct {
	Path, Problem string
	Owner         string // the user that could work on it; empty if the owner is not the problem
	Host          string // the folder of the enrolled host that it would be a part of, or would remove; empty if there is none
}

func (e *FolderError) Error() string { return e.Path + " " + e.Problem }

// NotEnrolledError reports that a folder has no identity.
type NotEnrolledError struct{ Path string }

func (e *NotEnrolledError) Error() string {
	return "no host is enrolled in " + e.Path
}

// Folder is the folder of one identity, locked for this process.
type Folder struct {
	path   string
	unlock func()
	before func(what string) error // see Watch
}

// Create opens a folder, and makes it before if it is not there. The error is a *FolderError if it would be a
// part of the folder of an enrolled host, or would remove one.
func Create(ctx context.Context, path string, access Access, lockTimeout time.Duration) (*Folder, error) {
	if err := checkOutside(path); err != nil {
		return nil, err
	}
	if err := checkAbove(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	switch err := os.Mkdir(path, 0o700); {
	case err == nil:
		if err := checkOwner(path); err != nil {
			return nil, err
		}
		if err := access.apply(path, access.folder()); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	return Open(ctx, path, lockTimeout)
}

// Open opens a folder and waits for other processes that work on it, for no longer than lockTimeout:
// then the error is a *filelock.HeldError. It is a *NotEnrolledError if there is no such folder, and a
// *FolderError if another user owns it or can write to it.
func Open(ctx context.Context, path string, lockTimeout time.Duration) (*Folder, error) {
	if err := checkOwner(path); err != nil {
		return nil, err
	}
	lock := filepath.Join(path, lockName)
	file, err := os.OpenFile(lock, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, lock, lockTimeout)
	if err != nil {
		return nil, err
	}
	return &Folder{path: path, unlock: unlock}, nil
}

// checkOwner checks that path is a folder in which nobody but this user writes, and which nobody but this
// user and root can replace.
func checkOwner(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &NotEnrolledError{Path: path}
	case err != nil:
		return unreadable(path, path, err)
	case !info.IsDir():
		return &FolderError{Path: path, Problem: "is not a folder"}
	}
	if unsafe, ok := errors.AsType[*safefile.UnsafeError](safefile.CheckWay(path)); ok {
		return &FolderError{Path: path, Problem: unsafe.Problem}
	}
	return checkAccess(path, info)
}

// Path returns the path of the folder.
func (f *Folder) Path() string { return f.path }

// Close releases the lock.
func (f *Folder) Close() { f.unlock() }

func (f *Folder) in(names ...string) string {
	return filepath.Join(append([]string{f.path}, names...)...)
}

// Watch has before called in front of each change of the folder, which is not made if that returns an
// error: so tests end a process at each step.
func (f *Folder) Watch(before func(what string) error) { f.before = before }

// change is called before each change of the folder.
func (f *Folder) change(what string) error {
	if f.before == nil {
		return nil
	}
	return f.before(what)
}

// pairNumber returns N of pair-N, or 0 for another name.
func pairNumber(name string) int {
	digits, ok := strings.CutPrefix(name, pairPrefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || strconv.Itoa(n) != digits {
		return 0
	}
	return n
}

func pairName(n int) string { return fmt.Sprint(pairPrefix, n) }

// currentNumber returns the number of the current pair, and 0 if there is none.
func currentNumber(path string) (int, error) {
	link := filepath.Join(path, CurrentName)
	target, err := os.Readlink(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return combinedNumber(path)
	case errors.Is(err, fs.ErrPermission):
		return 0, unreadable(path, link, err)
	case err != nil:
		return 0, &FolderError{Path: link, Problem: "is not a link to the pair in use"}
	}
	n := pairNumber(target)
	if n == 0 {
		return 0, &FolderError{Path: link, Problem: "leads out of the folder"}
	}
	return n, nil
}
