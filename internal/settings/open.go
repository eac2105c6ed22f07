package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/internal/safefile"
)

// maxSize bounds the file; a profile takes some hundred bytes.
const maxSize = 1 << 20

// Name is the file's name in the folders of Find.
const Name = "config.yaml"

// Find returns the configuration that is used where none is named: the user's, which is
// kedge/config.yaml in the folder of os.UserConfigDir, or the system's in systemDir. It is empty
// where there is none. A file that is there but cannot be inspected is an error.
func Find(systemDir string) (string, error) {
	dirs := []string{systemDir}
	if user, err := os.UserConfigDir(); err == nil && filepath.IsAbs(user) {
		dirs = []string{filepath.Join(user, "kedge"), systemDir}
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, Name)
		switch _, err := os.Stat(path); {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist) && !isNotDirectory(err):
			return "", err
		}
	}
	return "", nil
}

// Open reads the file at path. It refuses a file that someone else than root or the user of this
// process can change. The error is a *FileError or names the path otherwise.
func Open(path string, sections []string) (*File, error) {
	file, err := safefile.OpenRegular(path)
	if input, ok := errors.AsType[*safefile.InputError](err); ok {
		return nil, &FileError{File: path, Problem: input.Problem}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if problem := safefile.ChangeableBy(info); problem != "" {
		return nil, &UnsafeError{File: path, Problem: problem}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, &FileError{File: path, Problem: fmt.Sprintf("is larger than %d KiB", maxSize>>10)}
	}
	return Parse(path, data, sections)
}

// UnsafeError is a file that another user can change.
type UnsafeError struct {
	File    string
	Problem string // the rest of a sentence that begins with the file
}

func (e *UnsafeError) Error() string { return e.File + " " + e.Problem }
