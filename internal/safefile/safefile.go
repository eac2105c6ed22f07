// Package safefile opens files that decide what this process does, and refuses those that another
// user could have written, changed or put there.
//
// There are two rules. A configuration file must be owned by root or this user; no other user may
// be able to change it, or to put another file in its place. A file that an interrupted run of this
// program left must be one that such a run can have created: see [OpenLeftover].
//
// The checks are made on the open file, never by its name, and a named pipe does not block. On
// systems that use access lists for permissions those are not checked: there, only files that are
// not regular are refused.
package safefile

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// UnsafeError reports a configuration file that another user can change.
type UnsafeError struct {
	File    string
	Problem string // the rest of a sentence that begins with the file
}

func (e *UnsafeError) Error() string { return e.File + " " + e.Problem }

// Read returns the content of a configuration file, which has at most limit bytes. Symbolic links
// of root or this user are followed. The error is an *UnsafeError, one of package os that names the
// path, or one that says that the file is too large.
func Read(path string, limit int64) ([]byte, error) {
	return read(path, limit, func(info fs.FileInfo) error {
		problem, err := cmp.Or(notRegular(info), ChangeableBy(info)), error(nil)
		if problem == "" {
			problem, err = onTheWay(path)
		}
		if err != nil || problem == "" {
			return err
		}
		return &UnsafeError{path, problem}
	})
}

// ReadRegular returns the content of any regular file, which has at most limit bytes, without
// blocking on a named pipe. The error names the path.
func ReadRegular(path string, limit int64) ([]byte, error) {
	return read(path, limit, func(info fs.FileInfo) error {
		if problem := notRegular(info); problem != "" {
			return fmt.Errorf("%s %s", path, problem)
		}
		return nil
	})
}

// read opens a file, checks it, and reads it.
func read(path string, limit int64, check func(fs.FileInfo) error) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|NoWait, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		err = check(info)
	}
	if err != nil {
		return nil, err
	}
	return readAtMost(file, path, limit)
}

func readAtMost(file *os.File, path string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d KiB", path, limit>>10)
	}
	return data, err
}

// notRegular returns what kind of file info is, or "" for a regular one.
func notRegular(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "is a folder, not a file"
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "is a named pipe, not a file"
	}
	return "is not a file"
}
