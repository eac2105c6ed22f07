package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Target is the file that a path leads to, or will: a name in a folder that is open. What is done
// to it is done there, wherever the path leads by then.
type Target struct {
	dir   *folder
	name  string
	given string // the path, as it was given
	links []link // on the way, as far as systems have such
}

// opener says how a path is followed.
type opener struct {
	create      bool        // the last name is a new file's: it is not followed
	makeFolders fs.FileMode // the mode of folders that are missing; 0 makes none
}

// Open follows path to the file that Write replaces, or makes. A target that is not a regular file is
// refused, and so is a link by which another user could lead to a file that is not theirs.
func Open(path string) (*Target, error) { return opener{}.open(path) }

// OpenAndMakeFolders is Open, but makes folders that are missing, with that mode.
func OpenAndMakeFolders(path string, mode fs.FileMode) (*Target, error) {
	return opener{makeFolders: mode}.open(path)
}

// OpenUnfollowed is OpenAndMakeFolders, but does not follow the last name: a symbolic link there is nothing
// that OpenFile opens.
func OpenUnfollowed(path string, mode fs.FileMode) (*Target, error) {
	return opener{create: true, makeFolders: mode}.open(path)
}

// Path is where the target was found.
func (t *Target) Path() string { return t.dir.join(t.name) }

// Name is the last name of Path.
func (t *Target) Name() string { return t.name }

// Close closes the folder.
func (t *Target) Close() error { return t.dir.close() }

// OpenFile opens the target, which must be a regular file: anything else is not opened, since that can
// wait, or have an effect. What was opened is checked again.
func (t *Target) OpenFile(flag int) (*os.File, error) {
	if err := t.checkKind(); err != nil {
		return nil, err
	}
	f, err := t.dir.openFile(t.name, flag, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(t.given, info.Mode())
	}
	if err == nil {
		err = t.checkOwner(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenBeside opens another file in the target's folder. A symbolic link is not followed: the caller
// checks what it gets.
func (t *Target) OpenBeside(name string, flag int, mode fs.FileMode) (*os.File, error) {
	return t.dir.openFile(name, flag, mode)
}

// Owner returns the user and group of the target, or of the folder in which it will be made.
func (t *Target) Owner() (uid, gid int, err error) {
	e, err := t.dir.lstat(t.name)
	if errors.Is(err, fs.ErrNotExist) {
		e, err = t.dir.lstat(".")
	}
	return e.uid, e.gid, err
}

// checkKind refuses what is there and not a regular file.
func (t *Target) checkKind() error {
	e, err := t.dir.lstat(t.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !e.mode.IsRegular():
		return notRegular(t.given, e.mode)
	}
	return nil
}

func notRegular(path string, mode fs.FileMode) error {
	if mode.IsDir() {
		return fmt.Errorf("%s %w, not a file", path, syscall.EISDIR)
	}
	return fmt.Errorf("%s is not a regular file", path)
}

// Write replaces the target with f, whose Path is not asked, or leaves it as it was.
func (t *Target) Write(f File) error { return writeAll([]*Target{t}, []File{f}) }

// Create writes f, whose Path is not asked, as the target, and fails with fs.ErrExist when there is something.
func (t *Target) Create(f File) error { return createAll([]*Target{t}, []File{f}) }

// Remove removes the target.
func (t *Target) Remove() error { return t.dir.remove(t.name) }

// maxLinks is how many links to one another are followed, as many as Linux does.
const maxLinks = 40
