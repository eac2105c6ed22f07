package cabackup

import (
	"errors"
	"fmt"
)

// Kind is what is wrong with a file that should be a backup.
type Kind int

// The kinds of FileError.
const (
	Foreign  Kind = iota + 1 // kedge-ca did not make it
	NotForUs                 // it is encrypted to other keys than those given
	Damaged                  // it was cut short or changed
	Newer                    // a newer kedge-ca made it
	Mixed                    // its parts are not of one CA at one moment
)

// FileError reports that a file cannot be used as a backup. Nothing was restored from it.
type FileError struct {
	Path    string
	Kind    Kind
	Problem string // goes after the path
}

func (e *FileError) Error() string { return e.Path + " " + e.Problem }

func wrong(kind Kind, format string, args ...any) error {
	return &FileError{Kind: kind, Problem: fmt.Sprintf(format, args...)}
}

// about adds the path of the backup to an error about it.
func about(path string, err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*FileError](err); ok {
		wrong.Path = path
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// KeyError reports that a recipient or an identity cannot be used. It never contains its text, which may be a
// secret.
type KeyError struct {
	Where   string // a flag, or a file with a line
	Problem string
}

func (e *KeyError) Error() string { return e.Where + ": " + e.Problem }
