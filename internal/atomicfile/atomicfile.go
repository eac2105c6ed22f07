// Package atomicfile replaces files that other programs read, so that a reader sees the
// old content or the new, never a part, whatever happens in between.
//
// The folder of a file is opened once, and all is done in it: no name on the way is looked up again, and
// no symbolic link is followed unless its owner may lead there (see [Open]). So nobody who can change the
// path meanwhile chooses another file. On Windows, where it takes a privilege to make a link, paths are used.
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
	"runtime"
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
	if err := s.dir.rename(s.tmp, s.name); err != nil {
		return errors.Join(&fs.PathError{Op: "replace", Path: s.Target.Path(), Err: cause(err)}, s.dir.remove(s.tmp))
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
	taken := &fs.PathError{Op: "create", Path: s.Target.Path(), Err: fs.ErrExist}
	if s.nameless != nil {
		err := s.dir.linkNameless(s.nameless, s.name)
		s.nameless.Close() // all is on disk already
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrExist):
			return taken
		}
		if s.tmp, err = temporary(s.Target, s.File); err != nil { // there is no /proc, or a trouble that is named here
			return err
		}
	}
	err := s.dir.link(s.tmp, s.name)
	if removeErr := s.dir.remove(s.tmp); err == nil && removeErr != nil {
		return errors.Join(removeErr, s.dir.remove(s.name))
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return taken
	case err != nil: // no links here, or a trouble that the next call names
		return createInPlace(s.Target, s.File)
	}
	return nil
}

func createInPlace(t *Target, f File) error {
	file, err := t.dir.openFile(t.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode)
	if err != nil {
		return err
	}
	if err := errors.Join(f.fill(file), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", t.Path(), err), t.dir.remove(t.name))
	}
	return nil
}

// hidden is between the name of the target and a number in the names of our hidden files.
const hidden = ".kedge-"

// temporary writes a hidden file beside the target and returns its name.
func temporary(t *Target, f File) (string, error) {
	file, name, err := t.dir.createTemp("." + t.name + hidden)
	if err != nil {
		return "", &fs.PathError{Op: "create", Path: t.Path(), Err: cause(err)}
	}
	if err := errors.Join(f.fill(file), file.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", t.Path(), cause(err)), t.dir.remove(name))
	}
	return name, nil
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
	if f.Like != nil {
		if err := f.like(file); err != nil {
			return err
		}
	}
	if err := f.setMode(file); err != nil {
		return err
	}
	_, err := file.Write(f.Data)
	if err == nil {
		err = file.Sync()
	}
	return err
}

// setMode gives an open file its mode. Some file systems refuse that: there, files have the mode that they
// have, which can be the right one.
func (f File) setMode(file *os.File) error {
	if runtime.GOOS == "windows" {
		return nil // there are no permission bits to set there
	}
	info, err := file.Stat()
	if err != nil || info.Mode().Perm() == f.Mode.Perm() {
		return err
	}
	if err := file.Chmod(f.Mode); err != nil {
		return fmt.Errorf("it would have mode %04o, not %04o: %w", info.Mode().Perm(), f.Mode.Perm(), cause(err))
	}
	return nil
}
