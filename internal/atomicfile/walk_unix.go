//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// link is a symbolic link in a path.
type link struct {
	path   string
	owner  int
	folder entry // that the link is in
}

// walker resolves a path folder by folder, opening each relative to the one before without
// following links. It reads a link and resolves its text in place of the name. So no name is looked
// up twice, and a component that is swapped meanwhile has no effect.
type walker struct {
	opener
	path  string    // as the caller gave it
	way   []*folder // open folders, from the top to the current one
	left  []string
	links []link
}

// open resolves path to the file, or to the name of a file to create.
func (o opener) open(path string) (_ *Target, err error) {
	w := &walker{opener: o, path: path}
	defer func() { w.drop(err) }()
	if err := w.begin(path); err != nil {
		return nil, err
	}
	for len(w.left) > 0 {
		t, err := w.step()
		if t != nil || err != nil {
			return t, err
		}
	}
	return nil, notRegular(path, fs.ModeDir)
}

// drop closes all folders; without an error it keeps the target's.
func (w *walker) drop(err error) {
	if err == nil {
		w.way = w.way[:len(w.way)-1]
	}
	for _, d := range w.way {
		d.close()
	}
}

// begin starts at the top of path, or at the current folder if path is relative, and splits it into
// names.
func (w *walker) begin(path string) error {
	top := ""
	if filepath.IsAbs(path) {
		top = "/"
		w.drop(os.ErrClosed)
		w.way = nil
	}
	w.left = append(strings.FieldsFunc(path, func(r rune) bool { return r == '/' }), w.left...)
	if len(w.way) > 0 {
		return nil
	}
	d, err := openTop(top)
	if err == nil {
		w.way = append(w.way, d)
	}
	return err
}

func (w *walker) at() *folder { return w.way[len(w.way)-1] }

// step resolves one name, and returns the target if that was the last.
func (w *walker) step() (*Target, error) {
	name := w.left[0]
	w.left = w.left[1:]
	switch name {
	case ".":
		return nil, nil
	case "..":
		return nil, w.up()
	}
	e, err := w.at().lstat(name)
	last := len(w.left) == 0
	switch {
	case errors.Is(err, fs.ErrNotExist) && !last:
		return nil, w.missing(name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err == nil && e.mode&fs.ModeSymlink != 0 && (!last || !w.create):
		return nil, w.follow(name)
	case last:
		return w.arrive(name)
	}
	return nil, w.enter(name)
}

func (w *walker) enter(name string) error {
	d, err := w.at().open(name)
	if err == nil {
		w.way = append(w.way, d)
	}
	return err
}

// up returns to the folder from which the walker came, since ".." of a folder that has been moved
// is another folder.
func (w *walker) up() error {
	top := w.at()
	switch {
	case len(w.way) > 1:
		w.way = w.way[:len(w.way)-1]
		return top.close()
	case top.path == "/":
		return nil
	}
	return w.enter("..")
}

// missing creates a folder, if the options say so.
func (w *walker) missing(name string) error {
	if w.makeFolders == 0 {
		return &fs.PathError{Op: "create", Path: w.path, Err: syscall.ENOENT}
	}
	if err := w.check(w.at().join(name), nil); err != nil {
		return err
	}
	if err := w.at().mkdir(name, w.makeFolders); err != nil {
		return err
	}
	return w.enter(name)
}

func (w *walker) follow(name string) error {
	if len(w.links) == maxLinks {
		return &fs.PathError{Op: "open", Path: w.path, Err: syscall.ELOOP}
	}
	to, e, err := w.at().readlink(name)
	if err != nil {
		return err
	}
	in, err := w.at().lstat(".")
	if err != nil {
		return err
	}
	w.links = append(w.links, link{w.at().join(name), e.uid, in})
	return w.begin(to)
}

func (w *walker) arrive(name string) (*Target, error) {
	t := &Target{dir: w.at(), name: name, given: w.path, links: w.links}
	if w.create {
		return t, w.check(t.Path(), nil)
	}
	if err := t.checkKind(); err != nil {
		return nil, err
	}
	return t, w.check(t.Path(), t)
}

// check refuses a path with another user's link to a file that is not theirs. Owners are root, this
// user, the owner of the target's folder, who could replace the file anyway, and the target's own.
func (w *walker) check(path string, t *Target) error {
	if len(w.links) == 0 {
		return nil
	}
	folder, err := w.at().lstat(".")
	if err != nil {
		return err
	}
	owners := []int{0, euid(), folder.uid}
	if t != nil {
		if e, err := t.dir.lstat(t.name); err == nil {
			owners = append(owners, e.uid)
		}
	}
	return checkLinks(w.links, path, owners)
}

// checkOwner is check with the owner of the opened file.
func (t *Target) checkOwner(file *os.File) error {
	if len(t.links) == 0 {
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	folder, err := t.dir.lstat(".")
	if err != nil {
		return err
	}
	owners := []int{0, euid(), folder.uid}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		owners = append(owners, int(stat.Uid))
	}
	return checkLinks(t.links, t.Path(), owners)
}

func checkLinks(links []link, path string, owners []int) error {
	for _, l := range links {
		if err := l.check(path, owners); err != nil {
			return err
		}
	}
	return nil
}

// check refuses a link that could be a trap. In a folder where everybody can create files but
// remove only their own, it applies the rule of Linux (proc(5), protected_symlinks), which the
// kernel does not apply when links are read one by one, and other systems do not have. In any
// folder the link's owner must be root, this user, or the owner of the target or its folder.
func (l link) check(target string, owners []int) error {
	if err := l.checkShared(); err != nil {
		return err
	}
	if !slices.Contains(owners, l.owner) {
		return fmt.Errorf("%s is a symbolic link of another user (uid %d) to %s, which is not theirs: it is not followed; name that file itself if it is meant", l.path, l.owner, target)
	}
	return nil
}

// checkShared is the part of check that is about the folder of the link.
func (l link) checkShared() error {
	shared := l.folder.mode&fs.ModeSticky != 0 && l.folder.mode.Perm()&0o002 != 0
	if shared && l.owner != euid() && l.owner != l.folder.uid {
		return fmt.Errorf("%s is a symbolic link of another user (uid %d) in a folder that everybody can write to: it is not followed", l.path, l.owner)
	}
	return nil
}

func euid() int { return os.Geteuid() }
