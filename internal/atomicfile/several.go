package atomicfile

import (
	"errors"
	"fmt"
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

	// Owner, if not nil, is what os.Stat said about the file that is replaced: the new one gets
	// its owner and group, or is not written. Systems without owners take no notice.
	Owner fs.FileInfo
}

// CreateAll is Create for several files. Their bytes are on disk before the first of them gets
// its name, and they get their names in their order; each folder is synced once. After an
// error none of them is there; after a crash the first few can be.
func CreateAll(files ...File) error {
	done, err := place(files, stageNameless, create)
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
		if targets[i].Path, err = resolve(files[i].Path); err != nil {
			return err
		}
	}
	done, err := place(targets, stage, replace)
	return errors.Join(err, syncDirs(targets[:done]))
}

// place writes the bytes of all files at once, since the disk takes several as fast as one,
// and then puts them in their places one by one. It returns how many are there.
func place(files []File, stage func(File) (*staged, error), put func(*staged) error) (done int, err error) {
	all, errs := make([]*staged, len(files)), make([]error, len(files))
	var group sync.WaitGroup
	for i, f := range files {
		group.Go(func() { all[i], errs[i] = stage(f) })
	}
	group.Wait()
	err = errors.Join(errs...)
	for _, s := range all {
		switch {
		case s == nil:
		case err != nil:
			err = errors.Join(err, s.drop())
		default:
			if err = put(s); err == nil {
				done++
			}
		}
	}
	return done, err
}

// staged is a file whose bytes are on disk, and which waits to be put in its place.
type staged struct {
	File
	nameless *os.File // not nil: it has no name at all, and goes when it is closed
	tmp      string   // otherwise, its hidden name
}

func (s *staged) drop() error {
	if s.nameless != nil {
		return s.nameless.Close()
	}
	return os.Remove(s.tmp)
}

// stage writes a hidden file.
func stage(f File) (*staged, error) {
	tmp, err := temporary(f)
	if err != nil {
		return nil, err
	}
	return &staged{File: f, tmp: tmp}, nil
}

// stageNameless writes a file without a name, where there are such files.
func stageNameless(f File) (*staged, error) {
	file, err := openNameless(filepath.Dir(f.Path))
	if err != nil { // there are none here, or a trouble that the next call names
		return stage(f)
	}
	if err := f.fill(file); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", f.Path, cause(err)), file.Close())
	}
	return &staged{File: f, nameless: file}, nil
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
