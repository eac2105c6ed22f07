package hostdir

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

// ReadState returns what the last tries came to. One that is missing or damaged is empty: it is no
// more than a memory of when to try again.
func ReadState(path string) (s State) {
	data, err := safefile.ReadRegular(filepath.Join(path, stateName), maxFile)
	if err == nil && json.Unmarshal(data, &s) != nil {
		return State{}
	}
	return s
}

// WriteState replaces the state.
func (f *Folder) WriteState(s State, access Access) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := f.change("write the state"); err != nil {
		return err
	}
	path := f.in(stateName)
	if err := atomicfile.Write(path, append(data, '\n'), access.file()); err != nil {
		return err
	}
	return access.apply(path, access.file())
}

// Remove removes the identity: everything that this package writes, the lock last, then the folder
// itself if nothing else is in it. What is removed first is not needed to go on after an interruption.
func (f *Folder) Remove() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if pairNumber(e.Name()) > 0 || isPending(e.Name()) {
			if err := f.removeAll(e.Name()); err != nil {
				return err
			}
		}
	}
	for _, name := range ownNames() {
		if err := f.removeAll(name); err != nil {
			return err
		}
	}
	if err := os.Remove(f.path); err != nil && !isNotEmpty(f.path) {
		return err
	}
	return nil
}

// isNotEmpty reports whether a folder has something in it, or is not there any more.
func isNotEmpty(path string) bool {
	entries, err := os.ReadDir(path)
	return len(entries) > 0 || errors.Is(err, fs.ErrNotExist)
}
