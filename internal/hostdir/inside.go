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
			return &FolderError{Path: whole, Problem: "is inside the folder of the enrolled host " + hostIn(parent) + ", which removes it at a renewal", Host: parent}
		}
		dir = parent
	}
}

// checkAbove checks that nothing in a folder that its identity would remove is that of an enrolled host, at any
// depth: a host can have the name enroll, or pair-2, and its folder too.
func checkAbove(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil // it is not there, or Open reports why it cannot be used
	}
	for _, e := range entries {
		if !isOurs(e.Name()) || !e.IsDir() {
			continue
		}
		if below := hostBelow(filepath.Join(path, e.Name())); below != "" {
			return &FolderError{Path: path, Problem: "has the folder of the enrolled host " + hostIn(below) + " in it, which an identity here would remove", Host: below}
		}
	}
	return nil
}

// hostBelow returns a folder of an enrolled host that is dir or below it; empty if there is none. Links are not
// followed, since removing does not follow them.
func hostBelow(dir string) string {
	if hasIdentity(dir) {
		return dir
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if below := hostBelow(filepath.Join(dir, e.Name())); below != "" {
			return below
		}
	}
	return ""
}

// hostIn returns the name of the host that is enrolled in a folder, or the folder if it cannot be read.
func hostIn(dir string) string {
	pair, err := Current(dir)
	if err != nil {
		return dir
	}
	return pair.Record.Name
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
