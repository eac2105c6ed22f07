// Package atomicfile replaces files that other programs read, so that a reader sees the old content
// or the new, never a part, whatever happens in between.
//
// The folder of a file is opened once, and every operation is relative to it: no part of the path
// is resolved again, and a symbolic link is followed only if its owner is trusted with the target
// (see [Open]). So a user who can change the path in the meantime cannot redirect the write to
// another file. On Windows, where creating a link takes a privilege, paths are used.
//
// It promises: the mode is set before the first byte is written, the bytes are on disk before the
// name points to them, and the folder is synced afterwards where that is possible. It does not
// lock: two writers of one file need a lock of their own around read, change and Write.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// Write replaces the file at path with data and mode, or leaves it as it was.
//
// A symbolic link is followed to its target, which is then replaced, or created if it does not
// exist; a target that is not a regular file is refused, and so is a link by which another user
// could redirect the write to a file that is not theirs. The new bytes are first written to a
// hidden file in the same folder, which is removed when anything fails; errors name path, not the
// hidden file.
func Write(path string, data []byte, mode fs.FileMode) error {
	return WriteAll(File{Path: path, Data: data, Mode: mode})
}

// replace renames the hidden file to the target, without syncing the folder.
func replace(s *staged) error {
	if err := s.dir.rename(s.tmp, s.name); err != nil {
		return errors.Join(&fs.PathError{Op: "replace", Path: s.Target.Path(), Err: cause(err)}, s.dir.remove(s.tmp))
	}
	return nil
}

// Create writes a new file and fails with fs.ErrExist when the name is taken, even by a symbolic
// link: for keys, which must never be overwritten. After an error there is no new file.
//
// The complete file gets its name by a hard link. On Linux the file has no name before that, so
// that a crash leaves nothing; elsewhere, and on file systems without unnamed files, it has a
// hidden name first. If the file system has no hard links, the file is written in place, and a
// crash can leave a part of it.
func Create(path string, data []byte, mode fs.FileMode) error {
	return CreateAll(File{Path: path, Data: data, Mode: mode})
}

// create gives the file its name, without syncing the folder.
func create(s *staged) error {
	taken := &fs.PathError{Op: "create", Path: s.Target.Path(), Err: fs.ErrExist}
	if s.nameless != nil {
		err := s.dir.linkNameless(s.nameless, s.name)
		s.nameless.Close() // its bytes are on disk already
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrExist):
			return taken
		}
		if s.tmp, err = temporary(s.Target, s.File); err != nil { // no /proc, or an error that is returned here
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
	case err != nil: // no hard links, or an error that the next call returns
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

// hidden separates the name of the target from a random number in the names of hidden files.
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

// cause removes the path of the hidden file from an error: the caller does not know that file.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

// fill sets an open file's mode, then writes its bytes, and returns when both are on disk.
func (f File) fill(file *os.File) error {
	if f.Like != nil {
		if err := f.like(file); err != nil {
			return err
		}
	}
	if err := f.setMode(file); err != nil {
		return err
	}
	write := f.From
	if write == nil {
		write = func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		}
	}
	err := write(file)
	if err == nil {
		err = file.Sync()
	}
	return err
}

// setMode sets an open file's mode. On file systems without modes that fails, which is no error if
// the file already has the mode.
func (f File) setMode(file *os.File) error {
	if runtime.GOOS == "windows" {
		return nil // no permission bits on Windows
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
