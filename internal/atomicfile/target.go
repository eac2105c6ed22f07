package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Target is the file that a path resolved to, or will be created as: a name in an open folder.
// Operations on it use that folder, even if the path has come to lead elsewhere.
type Target struct {
	dir   *folder
	name  string
	given string // the path, as the caller gave it
	links []link // that were followed; none where links are not checked
}

// opener has the options of resolving a path.
type opener struct {
	create      bool        // the last name is that of a new file: it is not followed
	makeFolders fs.FileMode // mode of folders to create if missing; 0 creates none
}

// Open resolves path to the file that Write replaces or creates. A target that is not a regular
// file is refused, and so is a link by which another user could redirect the write to a file that
// is not theirs.
func Open(path string) (*Target, error) { return opener{}.open(path) }

// OpenAndMakeFolders is Open, but creates missing folders, with that mode.
func OpenAndMakeFolders(path string, mode fs.FileMode) (*Target, error) {
	return opener{makeFolders: mode}.open(path)
}

// OpenUnfollowed is OpenAndMakeFolders, but does not follow the last name: if that is a symbolic
// link, OpenFile fails.
func OpenUnfollowed(path string, mode fs.FileMode) (*Target, error) {
	return opener{create: true, makeFolders: mode}.open(path)
}

// Path returns the resolved path.
func (t *Target) Path() string { return t.dir.join(t.name) }

// Name returns the last element of Path.
func (t *Target) Name() string { return t.name }

// Close closes the folder.
func (t *Target) Close() error { return t.dir.close() }

// OpenFile opens the target, which must be a regular file: that is checked before, since opening
// anything else can block or have side effects, and again on the open file.
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

// OpenBeside opens another file in the target's folder. It does not follow a symbolic link; the
// caller checks the file's type and owner.
func (t *Target) OpenBeside(name string, flag int, mode fs.FileMode) (*os.File, error) {
	return t.dir.openFile(name, flag, mode)
}

// Owner returns the user and group of the target, or of its folder if it does not exist.
func (t *Target) Owner() (uid, gid int, err error) {
	e, err := t.dir.lstat(t.name)
	if errors.Is(err, fs.ErrNotExist) {
		e, err = t.dir.lstat(".")
	}
	return e.uid, e.gid, err
}

// checkKind refuses a target that exists and is not a regular file.
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

// Write replaces the target with f, whose Path is ignored, or leaves it as it was.
func (t *Target) Write(f File) error { return writeAll([]*Target{t}, []File{f}) }

// Create writes f, whose Path is ignored, as the target, and fails with fs.ErrExist if that exists.
func (t *Target) Create(f File) error { return createAll([]*Target{t}, []File{f}) }

// Remove removes the target.
func (t *Target) Remove() error { return t.dir.remove(t.name) }

// maxLinks is how many links in a row are followed, as many as Linux does.
const maxLinks = 40
