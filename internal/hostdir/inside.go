package hostdir

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// checkOutside checks that a new folder is none of what the folder of an enrolled host consists of, at any
// depth: a renewal removes the pairs and pending keys with all that is in them. Links count as what they lead
// to.
func checkOutside(path string) error {
	whole, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for dir := resolve(whole); ; {
		name, parent := filepath.Base(dir), filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		if isOurs(name) && hasIdentity(parent) {
			host := parent
			if pair, err := Current(parent); err == nil {
				host = pair.Record.Name
			}
			return &FolderError{Path: whole, Problem: "is inside the folder of the enrolled host " + host + ", which removes it at a renewal", Host: parent}
		}
		dir = parent
	}
}

// resolve follows the links in an absolute path as far as it is there.
func resolve(path string) string {
	resolved, err := filepath.EvalSymlinks(path)
	if parent := filepath.Dir(path); err != nil && parent != path {
		return filepath.Join(resolve(parent), filepath.Base(path))
	}
	return resolved
}

// isOurs reports whether an entry of the folder of a host is one that this package makes.
func isOurs(name string) bool {
	return pairNumber(name) > 0 || isPending(name) || slices.Contains(ownNames(), name)
}

// ownNames are the names in the folder of a host besides pairs and pending keys, the lock last.
func ownNames() []string {
	return []string{CurrentName + ".new", CurrentName, combinedName, stateName, markName, lockName}
}

// hasIdentity reports whether a folder is that of an enrolled host.
func hasIdentity(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, CurrentName))
	return err == nil && info.Mode()&fs.ModeSymlink != 0 || isPresent(filepath.Join(dir, combinedName))
}
