//go:build !unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// folder is a folder, by its path. Creating a symbolic link takes a privilege on Windows.
type folder struct{ path string }

// entry describes a name in a folder. Its owner is not known on this system.
type entry struct {
	mode     fs.FileMode
	uid, gid int
	modTime  time.Time
}

// link is not used on this system.
type link struct{}

func (d *folder) close() error { return nil }

func (d *folder) join(name string) string { return filepath.Join(d.path, name) }

func (d *folder) openFile(name string, flag int, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(d.join(name), flag, mode)
}

func (d *folder) lstat(name string) (entry, error) {
	info, err := os.Lstat(d.join(name))
	if err != nil {
		return entry{}, err
	}
	return entry{mode: info.Mode(), uid: -1, gid: -1, modTime: info.ModTime()}, nil
}

func (d *folder) rename(from, to string) error { return os.Rename(d.join(from), d.join(to)) }

func (d *folder) link(from, to string) error { return os.Link(d.join(from), d.join(to)) }

func (d *folder) remove(name string) error { return os.Remove(d.join(name)) }

func (d *folder) createTemp(prefix string) (*os.File, string, error) {
	dir := d.path
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, prefix+"*")
	if err != nil {
		return nil, "", err
	}
	return f, filepath.Base(f.Name()), nil
}

func (d *folder) names() ([]string, error) {
	entries, err := os.ReadDir(strings.TrimSuffix(d.join("."), "/"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// sync does nothing on Windows, which cannot open a folder for that.
func (d *folder) sync() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(d.join("."))
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// openNameless fails: there are no unnamed files on this system.
func (d *folder) openNameless() (*os.File, error) { return nil, errors.ErrUnsupported }

func (d *folder) linkNameless(*os.File, string) error { return errors.ErrUnsupported }

// like does nothing: the owner of a new file follows from its folder.
func (f File) like(*os.File) error { return nil }

func (t *Target) checkOwner(*os.File) error { return nil }

// euid returns an invalid user: owners are not known on this system.
func euid() int { return -2 }

// open resolves path to the file, or to the name of a file to create.
func (o opener) open(path string) (*Target, error) {
	target := path
	if !o.create {
		var err error
		if target, err = follow(path, maxLinks); err != nil {
			return nil, err
		}
	}
	if o.makeFolders != 0 {
		if err := os.MkdirAll(filepath.Dir(target), o.makeFolders); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(filepath.Dir(target)); err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: cause(err)}
	}
	t := &Target{dir: &folder{filepath.Dir(target)}, name: filepath.Base(target), given: path}
	if o.create {
		return t, nil
	}
	return t, t.checkKind()
}

func follow(path string, links int) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return followDangling(path, links)
	}
	return target, err
}

// followDangling resolves the links of a path whose target does not exist, and returns the target.
func followDangling(path string, links int) (string, error) {
	next, err := os.Readlink(path)
	if err != nil || links == 0 {
		return path, nil
	}
	if !filepath.IsAbs(next) {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path)) // ".." is relative to the real folder
		if err != nil {
			return "", err
		}
		next = filepath.Join(dir, next)
	}
	return follow(next, links-1)
}
