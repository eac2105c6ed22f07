package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// WriteError is files of a state folder that could not be written. Its text has the number of them, their folder, and why,
// without the names of the files and the words of the system.
type WriteError struct {
	Folder string
	Files  int
	Errs   []error // one for each reason
}

func newWriteError(path string, err error) *WriteError {
	return &WriteError{Folder: filepath.Dir(path), Files: 1, Errs: []error{err}}
}

func (e *WriteError) Error() string {
	files := "1 file was"
	if e.Files != 1 {
		files = fmt.Sprintf("%d files were", e.Files)
	}
	var reasons []string
	for _, err := range e.Errs {
		if r := reason(err); !slices.Contains(reasons, r) {
			reasons = append(reasons, r)
		}
	}
	return fmt.Sprintf("%s not written into the state folder %s: %s", files, e.Folder, strings.Join(reasons, "; "))
}

// Unwrap returns the errors of the files.
func (e *WriteError) Unwrap() []error { return e.Errs }

// reason puts into words why a file could not be written.
func reason(err error) string {
	for _, r := range []struct {
		of   error
		text string
	}{
		{syscall.ENOSPC, "the disk is full"},
		{syscall.EDQUOT, "the quota of this user is used up"},
		{syscall.EROFS, "the file system is read-only"},
		{syscall.EIO, "the disk has errors"},
		{fs.ErrPermission, "this user may not write there"},
		{context.DeadlineExceeded, "the disk takes too long"},
		{context.Canceled, "the disk takes too long"},
		{fs.ErrNotExist, "there is no such folder any more"},
	} {
		if errors.Is(err, r.of) {
			return r.text
		}
	}
	return "the system refuses it"
}
