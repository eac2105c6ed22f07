package hostdir

import (
	"os"
	"path/filepath"
)

// Before returns, for the path of a file in the current pair of a folder, that of the same file in the
// pair before. ok is false for other paths, and if there is no pair before.
func Before(path string) (before string, ok bool) {
	dir, name, ok := inCurrent(path)
	if !ok {
		return "", false
	}
	n, err := currentNumber(dir)
	if err != nil {
		return "", false
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	last := 0
	for _, e := range entries {
		if m := pairNumber(e.Name()); m < n {
			last = max(last, m)
		}
	}
	if last == 0 {
		return "", false
	}
	return filepath.Join(dir, pairName(last), name), true
}

// Itself returns, for the path of a file in the current pair of a folder, its path in the folder of the
// pair, where it stays after the next renewal; other paths as they are.
func Itself(path string) string {
	dir, name, ok := inCurrent(path)
	if !ok {
		return path
	}
	n, err := currentNumber(dir)
	if err != nil || n == 0 {
		return path
	}
	return filepath.Join(dir, pairName(n), name)
}

// inCurrent takes the path of a file of the current pair apart.
func inCurrent(path string) (dir, name string, ok bool) {
	parent, name := filepath.Split(filepath.Clean(path))
	parent = filepath.Clean(parent)
	switch {
	case name == combinedName:
		return parent, bothName, true
	case filepath.Base(parent) == CurrentName:
		return filepath.Dir(parent), name, true
	}
	return "", "", false
}
