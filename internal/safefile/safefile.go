// Package safefile opens files that decide what this process does, and refuses those that another
// user could have written, changed or put there.
//
// There are three rules. A configuration file must be owned by root or this user; no other user may
// be able to change it, or to put another file in its place. A file that an interrupted run of this
// program left must be one that such a run can have created: see [OpenLeftover]. An input that the user
// named, such as a key, may be owned by anybody, but must be a regular file: see [ReadInput]; inputs that
// belong together are read from one version of their folder: see [OpenTogether].
//
// The checks are made on the open file, never by its name, and a named pipe does not block. On
// systems that use access lists for permissions those are not checked: there, only files that are
// not regular are refused.
package safefile

import (
	"cmp"
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
// of root or this user are followed. The error is an *UnsafeError, an *InputError for a file that is
// too large, or one of package os; each names the path.
func Read(path string, limit int64) ([]byte, error) {
	return read(path, limit, func(path string, info fs.FileInfo) error {
		problem, err := cmp.Or(irregular(info), ChangeableBy(info)), error(nil)
		if problem == "" {
			problem, err = onTheWay(path)
		}
		if err != nil || problem == "" {
			return err
		}
		return &UnsafeError{path, problem}
	})
}

// CheckWay returns an *UnsafeError if another user can put something else in the place of a file or folder,
// through a folder or a link of its path.
func CheckWay(path string) error {
	problem, err := onTheWay(path)
	if problem != "" {
		return &UnsafeError{File: path, Problem: problem}
	}
	return err
}

// CheckProgram returns an *UnsafeError if a file is not a program that root and this user alone can change.
func CheckProgram(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if problem := cmp.Or(irregular(info), ChangeableBy(info)); problem != "" {
		return &UnsafeError{path, problem}
	}
	return CheckWay(path)
}

// ReadRegular returns the content of any regular file, which has at most limit bytes, without
// waiting for a pipe. The error is an *InputError or one of package os; both name the path.
func ReadRegular(path string, limit int64) ([]byte, error) { return read(path, limit, notRegular) }

// OpenRegular opens what ReadRegular reads.
func OpenRegular(path string) (*os.File, error) { return open(path, notRegular) }

func open(path string, check func(string, fs.FileInfo) error) (*os.File, error) {
	return openChecked(path, func() (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|NoWait, 0) }, check)
}

// read checks what was opened, and reads that.
func read(path string, limit int64, check func(string, fs.FileInfo) error) ([]byte, error) {
	file, err := open(path, check)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAtMost(file, path, limit)
}
