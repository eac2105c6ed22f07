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

	// Warn gets one sentence, without secrets: what is wrong with the cache, or that old
	// credentials are used because renewing them failed. Optional.
	Warn func(text string)

	// LockTimeout bounds the wait for another process that renews the same credentials; ten
	// seconds when zero. After it this process renews them itself, without the lock.
	LockTimeout time.Duration

	// Trace logs hits and waits for the lock. Optional.
	Trace func(format string, args ...any)
}

// Cache is a folder of credentials. It is safe for concurrent use, also by several processes.
type Cache struct {
	dir     string
	options Options
}

// FolderError reports that a folder cannot be the cache.
type FolderError struct {
	Dir     string
	Problem string // the rest of a sentence that begins with the folder
}

func (e *FolderError) Error() string {
	return fmt.Sprintf("the cache %s is not used: it %s", e.Dir, e.Problem)
}

// Open checks that the folder at dir, if it exists, belongs to this user alone. If it does not
// exist, the first write creates it, with mode 0700. The error is a *FolderError, or that of Lstat.
func Open(dir string, o Options) (*Cache, error) {
	if err := check(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = lockTimeout
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

// create creates the folder and its parents.
func (c *Cache) create() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	return check(c.dir)
}

// Private reports whether dir is a folder of this user that nobody else can write to.
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

// badFile returns why a file is not used, or "".
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

// The endings of a key's two files: the credentials, and the lock that is held while they are renewed.
const (
	entryEnd = ".session"
	lockEnd  = ".lock"
)

func (c *Cache) path(name, end string) string { return filepath.Join(c.dir, name+end) }

func (c *Cache) warn(format string, args ...any) { c.options.Warn(fmt.Sprintf(format, args...)) }
