//go:build !unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// resolve follows path to the regular file behind it, or to the name a new file gets. It asks
// nobody whose links they are: it takes a privilege to make one here.
func resolve(path string) (string, error) { return follow(path, maxLinks) }

func follow(path string, links int) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return followDangling(path, links)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	return target, nil
}

// followDangling goes one link on. A path that is none is the name of the new file.
func followDangling(path string, links int) (string, error) {
	next, err := os.Readlink(path)
	if err != nil || links == 0 {
		return path, nil
	}
	if !filepath.IsAbs(next) {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path)) // ".." counts from the real folder
		if err != nil {
			return "", err
		}
		next = filepath.Join(dir, next)
	}
	return follow(next, links-1)
}
