package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Options of a Cache. Now is required.
type Options struct {
	// Now is the wall clock, such as time.Now.
	Now func() time.Time

	// Warn is told in one sentence, without secrets, what is wrong with the cache, or that old
	// credentials had to do; nothing by default.
	Warn func(text string)

	// Patience is how long another process may take to get what both want; ten seconds when
	// zero. Then each goes its own way, so that one that hangs does not hold up all.
	Patience time.Duration

	// Trace is told what is found and waited for; nothing by default.
	Trace func(format string, args ...any)
}

// Cache is a folder with credentials. It is safe for concurrent use, by processes too.
type Cache struct {
	dir     string
	options Options
}

// FolderError says that a folder cannot be the cache.
type FolderError struct {
	Dir     string
	Problem string // the rest of a sentence that begins with the folder
}

func (e *FolderError) Error() string {
	return fmt.Sprintf("the cache %s is not used: it %s", e.Dir, e.Problem)
}

// Open checks that the folder at dir is this user's alone, if there is one; otherwise the first
// credentials make it, with mode 0700. The error is a *FolderError, or why dir cannot be looked at.
func Open(dir string, o Options) (*Cache, error) {
	if err := check(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if o.Patience == 0 {
		o.Patience = patience
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Trace == nil {
		o.Trace = func(string, ...any) {}
	}
	return &Cache{dir: dir, options: o}, nil
}

func check(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the cache: %w", err)
	}
	if problem := badFolder(info); problem != "" {
		return &FolderError{Dir: dir, Problem: problem}
	}
	return nil
}

// create makes the folder.
func (c *Cache) create() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	return check(c.dir)
}

// Private tells whether dir is a folder of this user that nobody else can write to.
func Private(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && badFolder(info) == ""
}

func badFolder(info fs.FileInfo) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case !info.IsDir():
		return "is not a folder"
	case !isMine(info):
		return "belongs to another user"
	case hasModes && info.Mode().Perm()&0o022 != 0:
		return fmt.Sprintf("can be written to by other users (mode %04o)", info.Mode().Perm())
	}
	return ""
}

// badFile says why a file is not one of the cache's own.
func badFile(info fs.FileInfo) string {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case !info.Mode().IsRegular():
		return "is not a regular file"
	case !isMine(info):
		return "belongs to another user"
	case hasModes && info.Mode().Perm()&0o077 != 0:
		return fmt.Sprintf("can be read by other users (mode %04o)", info.Mode().Perm())
	}
	return ""
}

// The files of a key: its credentials, and what is locked to renew them.
const (
	entryEnd = ".session"
	lockEnd  = ".lock"
)

func (c *Cache) path(name, end string) string { return filepath.Join(c.dir, name+end) }

func (c *Cache) warn(format string, args ...any) { c.options.Warn(fmt.Sprintf(format, args...)) }
