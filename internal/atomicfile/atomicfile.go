// Package atomicfile replaces files that other programs read, so that a reader sees the
// old content or the new, never a part, whatever happens in between.
//
// It promises: the mode is set before the first byte is written, the bytes are on disk
// before the name points to them, and the folder is synced after where that is possible. It
// does not lock: two writers of one file need a lock of their own around read, change and
// Write.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Write replaces the file at path with data and mode, or leaves it as it was.
//
// A symbolic link is followed to its target, which is then replaced, or made if there is
// none; a target that is not a regular file is refused, and so is a link by which another user could
// lead to a file that is not theirs. The new bytes lie for a moment in a hidden file in the same
// folder, which is removed when anything fails; errors name path, not it.
func Write(path string, data []byte, mode fs.FileMode) error {
	return WriteAll(File{Path: path, Data: data, Mode: mode})
}

// replace puts the hidden file in the place of the target, without making that durable.
func replace(s *staged) error {
	if err := os.Rename(s.tmp, s.Path); err != nil {
		return errors.Join(&fs.PathError{Op: "replace", Path: s.Path, Err: cause(err)}, os.Remove(s.tmp))
	}
	return nil
}

// Create writes a new file and fails with fs.ErrExist when the name is taken, if only by a
// symbolic link: for keys, which must never be overwritten. After an error there is no new
// file.
//
// The name is given to the whole file, by a hard link. On Linux the file has no other name
// before, so that a crash leaves nothing; elsewhere, and on file systems that cannot do this, it
// is a hidden one first. Where the file system has no links, the file is written in place, and a
// crash can leave a part of it.
func Create(path string, data []byte, mode fs.FileMode) error {
	return CreateAll(File{Path: path, Data: data, Mode: mode})
}

// create gives the file its name, without making that durable.
func create(s *staged) error {
	if s.nameless != nil {
		err := linkNameless(s.nameless, s.Path)
		s.nameless.Close() // all is on disk already
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrExist):
			return &fs.PathError{Op: "create", Path: s.Path, Err: fs.ErrExist}
		}
		if s.tmp, err = temporary(s.File); err != nil { // there is no /proc, or a trouble that is named here
			return err
		}
	}
	err := os.Link(s.tmp, s.Path)
	if removeErr := os.Remove(s.tmp); err == nil && removeErr != nil {
		return errors.Join(removeErr, os.Remove(s.Path))
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return &fs.PathError{Op: "create", Path: s.Path, Err: fs.ErrExist}
	case err != nil: // no links here, or a trouble that the next call names
		return createInPlace(s.File)
	}
	return nil
}

func createInPlace(f File) error {
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode)
	if err != nil {
		return err
	}
	if err := errors.Join(f.fill(file), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.Path, err), os.Remove(f.Path))
	}
	return nil
}

// hidden is between the name of the target and a number in the names of our hidden files.
const hidden = ".kedge-"

// temporary writes a hidden file beside the target and returns its name.
func temporary(f File) (string, error) {
	tmp, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+hidden+"*")
	if err != nil {
		return "", &fs.PathError{Op: "create", Path: f.Path, Err: cause(err)}
	}
	if err := errors.Join(f.fill(tmp), tmp.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", f.Path, cause(err)), os.Remove(tmp.Name()))
	}
	return tmp.Name(), nil
}

// cause takes the name of the hidden file off an error: nobody asked for that file.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// fill gives an open file its mode, then its bytes, and returns when both are on disk.
func (f File) fill(file *os.File) error {
	if f.Owner != nil {
		if err := own(file, f.Owner); err != nil {
			return fmt.Errorf("keep its owner: %w", cause(err))
		}
	}
	err := file.Chmod(f.Mode)
	if runtime.GOOS == "windows" {
		err = nil // there are no permission bits to set there
	}
	if err == nil {
		_, err = file.Write(f.Data)
	}
	if err == nil {
		err = file.Sync()
	}
	return err
}

// Resolve follows the symbolic links of path to the file that Write replaces, or makes.
func Resolve(path string) (string, error) { return resolve(path) }

// maxLinks is how many links to one another are followed, as many as Linux does.
const maxLinks = 40

// syncDir makes the new name durable, where it can: Windows cannot open a folder for that,
// one without read permission cannot be opened, and some file systems sync none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
