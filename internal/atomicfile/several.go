package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// File is a file to be written.
type File struct {
	Path string
	Data []byte
	Mode fs.FileMode
}

// CreateAll is Create for several files. Their bytes are on disk before the first of them gets
// its name, and they get their names in their order; each folder is synced once. After an
// error none of them is there; after a crash the first few can be.
func CreateAll(files ...File) error {
	done, err := place(files, create)
	if err == nil {
		err = syncDirs(files)
	}
	if err != nil {
		for _, f := range files[:done] {
			err = errors.Join(err, os.Remove(f.Path))
		}
	}
	return err
}

// WriteAll is Write for several files. Their bytes are on disk before the first is replaced,
// and they are replaced in their order; each folder is synced once. An error or a crash can
// leave the first few replaced and the others as they were.
func WriteAll(files ...File) error {
	targets := slices.Clone(files)
	for i := range targets {
		var err error
		if targets[i].Path, err = resolve(files[i].Path, maxLinks); err != nil {
			return err
		}
	}
	done, err := place(targets, replace)
	return errors.Join(err, syncDirs(targets[:done]))
}

// place writes the bytes of all files at once, since the disk takes several as fast as one,
// and then puts them in their places one by one. It returns how many are there.
func place(files []File, put func(tmp string, f File) error) (done int, err error) {
	names, errs := make([]string, len(files)), make([]error, len(files))
	var group sync.WaitGroup
	for i, f := range files {
		group.Go(func() { names[i], errs[i] = temporary(f.Path, f.Data, f.Mode) })
	}
	group.Wait()
	err = errors.Join(errs...)
	for i, f := range files {
		switch {
		case names[i] == "":
		case err != nil:
			err = errors.Join(err, os.Remove(names[i]))
		default:
			if err = put(names[i], f); err == nil {
				done++
			}
		}
	}
	return done, err
}

func syncDirs(files []File) error {
	var dirs []string
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f.Path))
	}
	slices.Sort(dirs)
	var all error
	for _, dir := range slices.Compact(dirs) {
		all = errors.Join(all, syncDir(dir))
	}
	return all
}
