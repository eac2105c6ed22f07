package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// FolderError is returned for a flag whose value is not a folder.
type FolderError struct {
	Flag, Path string
	Absent     bool // nothing is there
}

func (e *FolderError) Error() string {
	if e.Absent {
		return fmt.Sprintf("--%s: the folder %s does not exist", e.Flag, e.Path)
	}
	return fmt.Sprintf("--%s: %s is not a folder", e.Flag, e.Path)
}

// CheckFolder returns a *FolderError when the value of a flag is no folder.
func CheckFolder(flag, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return &FolderError{Flag: flag, Path: path, Absent: err != nil}
	}
	return nil // or a trouble that the next call names
}

// CheckNewFolder is CheckFolder for a folder that need not be there.
func CheckNewFolder(flag, path string) error {
	err := CheckFolder(flag, path)
	if wrong, ok := errors.AsType[*FolderError](err); ok && wrong.Absent {
		return nil
	}
	return err
}
