package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// File is a file to be written.
type File struct {
	Path string
	Data []byte
	Mode fs.FileMode
}

// CreateAll is Create for several files, in their order, with one sync for each folder at the
// end. After an error none of them is there; after a crash the first few can be.
func CreateAll(files ...File) error {
	var dirs []string
	for i, f := range files {
		if err := create(f.Path, f.Data, f.Mode); err != nil {
			return errors.Join(err, remove(files[:i]))
		}
		dirs = append(dirs, filepath.Dir(f.Path))
	}
	if err := syncDirs(dirs); err != nil {
		return errors.Join(err, remove(files))
	}
	return nil
}

// WriteAll is Write for several files, in their order, with one sync for each folder at the
// end. Each is replaced whole, but an error or a crash can leave the first few replaced and
// the others as they were.
func WriteAll(files ...File) error {
	var dirs []string
	for _, f := range files {
		dir, err := replace(f.Path, f.Data, f.Mode)
		if err != nil {
			return errors.Join(err, syncDirs(dirs))
		}
		dirs = append(dirs, dir)
	}
	return syncDirs(dirs)
}

func remove(files []File) error {
	var all error
	for _, f := range files {
		all = errors.Join(all, os.Remove(f.Path))
	}
	return all
}

func syncDirs(dirs []string) error {
	slices.Sort(dirs)
	var all error
	for _, dir := range slices.Compact(dirs) {
		all = errors.Join(all, syncDir(dir))
	}
	return all
}
