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

// link is a symbolic link on the way to a file.
type link struct {
	path   string
	owner  int
	folder fs.FileInfo
}

// resolve follows path to the regular file behind it, or to the name a new file gets. It refuses a
// way on which another user's link leads to what is not theirs.
func resolve(path string) (string, error) {
	target, links, err := walk(path)
	if err != nil {
		return "", err
	}
	owners := []int{0, os.Geteuid()}
	info, err := os.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", path)
	default:
		owners = append(owners, userOf(info))
	}
	if len(links) == 0 {
		return target, nil
	}
	if folder := nearest(filepath.Dir(target)); folder != nil {
		owners = append(owners, userOf(folder)) // who can replace the file without us
	}
	for _, l := range links {
		if err := l.check(target, owners); err != nil {
			return "", err
		}
	}
	return target, nil
}

// check refuses a link that could be a trap. In a folder where everybody can make files but remove
// only their own, that is the rule of Linux (proc(5), protected_symlinks), which is not asked when
// links are read one by one, and which other systems do not have. Anywhere, it is one of somebody
// who is none of the owners: of the file and its folder, root and this user.
func (l link) check(target string, owners []int) error {
	shared := l.folder.Mode()&fs.ModeSticky != 0 && l.folder.Mode().Perm()&0o002 != 0
	switch {
	case shared && l.owner != os.Geteuid() && l.owner != userOf(l.folder):
		return fmt.Errorf("%s is a symbolic link of another user (uid %d) in a folder that everybody can write to: it is not followed", l.path, l.owner)
	case !slices.Contains(owners, l.owner):
		return fmt.Errorf("%s is a symbolic link of another user (uid %d) to %s, which is not theirs: it is not followed; name that file itself if it is meant", l.path, l.owner, target)
	}
	return nil
}

// walk goes along path name by name, and notes the links. Where there is nothing more, the rest of the
// names is that of the new file.
func walk(path string) (at string, links []link, err error) {
	at, left := begin("", path)
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		next := filepath.Join(at, name)
		if name == ".." || next == at { // at has no links in it
			at = next
			continue
		}
		info, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return filepath.Join(append([]string{next}, left...)...), links, nil
		case err != nil:
			return "", nil, err
		case info.Mode()&fs.ModeSymlink == 0:
			at = next
			continue
		case len(links) == maxLinks:
			return "", nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
		}
		to, err := os.Readlink(next)
		if err != nil {
			return "", nil, err
		}
		folder, err := os.Stat(filepath.Dir(next))
		if err != nil {
			return "", nil, err
		}
		links = append(links, link{next, userOf(info), folder})
		var more []string
		at, more = begin(at, to)
		left = append(more, left...)
	}
	return at, links, nil
}

// begin says where a path begins, seen from a folder, and the names that follow.
func begin(folder, path string) (at string, names []string) {
	if filepath.IsAbs(path) {
		folder = "/"
	}
	return folder, strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// nearest is the folder, or the one above it in which it will be made.
func nearest(folder string) fs.FileInfo {
	for {
		info, err := os.Stat(folder)
		if err == nil || folder == filepath.Dir(folder) {
			return info
		}
		folder = filepath.Dir(folder)
	}
}

func userOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}
