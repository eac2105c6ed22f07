package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Sweep removes the hidden files beside path that a Write left when its process was killed. Only
// who keeps all other writers out, by a lock, may call it.
func Sweep(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		rest, ok := strings.CutPrefix(entry.Name(), "."+filepath.Base(path))
		if !ok || !entry.Type().IsRegular() || !leftover(rest, entry) {
			continue
		}
		removeErr := os.Remove(filepath.Join(filepath.Dir(path), entry.Name()))
		if !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}

// leftover tells whether a hidden file is ours, by what its name has behind that of the target.
func leftover(rest string, entry fs.DirEntry) bool {
	if number, ok := strings.CutPrefix(rest, hidden); ok {
		return isNumber(number)
	}
	number, ok := strings.CutPrefix(rest, ".")
	return ok && isNumber(number) && isOld(entry)
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// isOld tells whether a file with a name as earlier versions gave it can be theirs. Somebody's own copy
// can have such a name, too.
func isOld(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && time.Since(info.ModTime()) > 24*time.Hour && isOurs(info)
}
