// Package safefile opens files that decide what this process does, and refuses those that another
// user could have written, changed or put there.
//
// There are two rules. A configuration file may be root's or this user's, nobody else may be able
// to change it, and nobody else may be able to put another file in its place. A file that an
// interrupted run of this program left must be what that run can have made: see [OpenLeftover].
//
// What is checked is the open file, never its name, and a pipe in its place is not waited for.
// Systems whose permissions are access lists are not asked for them: there, only what is not a
// regular file is refused.
package safefile

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// UnsafeError is a configuration file that another user can change.
type UnsafeError struct {
	File    string
	Problem string // the rest of a sentence that begins with the file
}

func (e *UnsafeError) Error() string { return e.File + " " + e.Problem }

// Read returns the content of a configuration file, which has at most limit bytes. Symbolic links
// are followed where root or this user made them. The error is an *UnsafeError, one of package os
// that names the path, or says that the file is too large.
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
// waiting for a pipe. The error names the path.
func ReadRegular(path string, limit int64) ([]byte, error) {
	return read(path, limit, func(info fs.FileInfo) error {
		if problem := notRegular(info); problem != "" {
			return fmt.Errorf("%s %s", path, problem)
		}
		return nil
	})
}

// read checks what was opened, and reads that.
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

// notRegular says what is in the place of a regular file; empty where there is one.
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
