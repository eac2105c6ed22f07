package atomicfile

import (
	"errors"
	"io/fs"
	"strings"
	"time"
)

// Sweep removes the hidden files beside path that a killed Write left. The caller must hold a lock
// that keeps out all other writers of path.
func Sweep(path string) error {
	t, err := opener{create: true}.open(path)
	if err != nil {
		return err
	}
	defer t.Close()
	return t.Sweep()
}

// Sweep removes the hidden files that a killed Write of this target left; see the function Sweep.
func (t *Target) Sweep() error {
	names, err := t.dir.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, "."+t.name)
		if !ok || !t.leftover(name, rest) {
			continue
		}
		removeErr := t.dir.remove(name)
		if !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}

// leftover reports whether a hidden file is one of this package, by the rest of its name after the
// target's.
func (t *Target) leftover(name, rest string) bool {
	number, ours := strings.CutPrefix(rest, hidden)
	if !ours {
		number, ours = strings.CutPrefix(rest, ".")
		ours = ours && t.isOld(name)
	}
	if !ours || number == "" || strings.Trim(number, "0123456789") != "" {
		return false
	}
	e, err := t.dir.lstat(name)
	return err == nil && e.mode.IsRegular()
}

// isOld reports whether a file whose name has the form of earlier versions can be theirs: a user's
// own copy can have such a name, too.
func (t *Target) isOld(name string) bool {
	e, err := t.dir.lstat(name)
	return err == nil && time.Since(e.modTime) > 24*time.Hour && e.uid == euid()
}
