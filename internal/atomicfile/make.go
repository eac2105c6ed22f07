package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeFolder creates a folder, unless there is one, and syncs the folder that it is in where that is
// possible: its name is then as durable as what is written into it. A parent that is missing is an
// fs.ErrNotExist.
func MakeFolder(path string, mode fs.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	t, err := Open(filepath.Clean(path) + ".new") // a name beside it, of which only the folder is used
	if err != nil {
		return err
	}
	return errors.Join(t.dir.sync(), t.Close())
}
