package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

// Exists reports whether something is at path, if only a symbolic link. What cannot be looked at is
// an error.
func Exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Vacant returns what Create would return for the first of several names that is taken: an
// *fs.PathError that is fs.ErrExist.
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
