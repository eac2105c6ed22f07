package hostdir

import (
	"os"
	"path/filepath"
)

// Before returns, for the path of a file in the current pair of a folder, that of the same file in the
// pair before. ok is false for other paths, and if there is no pair before.
func Before(path string) (before string, ok bool) {
	current, name := filepath.Split(filepath.Clean(path))
	dir, link := filepath.Split(filepath.Clean(current))
	if link != CurrentName {
		return "", false
	}
	dir = filepath.Clean(dir)
	n, err := currentNumber(dir)
	if err != nil || n == 0 {
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
