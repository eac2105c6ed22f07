package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

// Exists reports whether something is at path, even a dangling symbolic link. The error is that of
// Lstat.
func Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Vacant returns the error that Create would return for the first of paths that exists: an
// *fs.PathError that wraps fs.ErrExist.
func Vacant(paths ...string) error {
	for _, path := range paths {
		there, err := Exists(path)
		if err != nil {
			return err
		}
		if there {
			return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
		}
	}
	return nil
}
