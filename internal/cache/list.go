package cache

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kedge/internal/filelock"
)

// Entry describes cached credentials, without secrets.
type Entry struct {
	Role    string // ARN
	Key     Key    // of the credentials
	Renewed time.Time
	Expires time.Time
	Path    string // of the file
}

// List returns the cached credentials, sorted by role and then by time of renewal. Files that
// cannot be used are warned of.
func (c *Cache) List() ([]*Entry, error) {
	files, err := c.files()
	if err != nil {
		return nil, err
	}
	var entries []*Entry
	for _, file := range files {
		name, end := split(file.Name())
		if end != entryEnd {
			continue
		}
		e, err := c.read(name)
		switch {
		case errors.Is(err, errMiss):
		case err != nil:
			c.warn("%v", err)
		default:
			entries = append(entries, &Entry{Role: e.Key.Role(), Key: e.Key, Renewed: e.Renewed, Expires: e.Expires, Path: c.path(name, entryEnd)})
		}
	}
	slices.SortFunc(entries, func(a, b *Entry) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), a.Renewed.Compare(b.Renewed), strings.Compare(a.Path, b.Path))
	})
	return entries, nil
}

// files lists the folder; none if it does not exist.
func (c *Cache) files() ([]fs.DirEntry, error) {
	files, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return files, err
}

// Clear removes all credentials, lock files and temporary files of the cache, and returns how many
// credentials there were. Other files stay, and so does the folder. The sessions themselves
// stay valid until they expire: AWS cannot end them.
func (c *Cache) Clear() (int, error) {
	return c.remove(func(fs.DirEntry) bool { return true })
}

// sweep removes files that are older than the longest session, among them the temporary files of
// killed processes.
func (c *Cache) sweep(now time.Time) {
	_, err := c.remove(func(file fs.DirEntry) bool {
		info, err := file.Info()
		return err == nil && now.Sub(info.ModTime()) > maxSession
	})
	if err != nil {
		c.options.Trace("clean up the cache: %v", err)
	}
}

const maxSession = 12 * time.Hour // of a session

// remove removes those of the cache's files for which old is true, and counts the credentials.
func (c *Cache) remove(old func(fs.DirEntry) bool) (int, error) {
	files, err := c.files()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, file := range files {
		_, end := split(file.Name())
		if end == "" || !old(file) {
			continue
		}
		path := filepath.Join(c.dir, file.Name())
		if end == lockEnd {
			c.removeLock(path)
			continue
		}
		switch removed := os.Remove(path); {
		case errors.Is(removed, fs.ErrNotExist):
		case removed != nil:
			err = errors.Join(err, removed)
		case end == entryEnd:
			n++
		}
	}
	return n, err
}

// removeLock removes a lock file that no process holds. A process that takes the lock afterwards
// notices that the file is gone.
func (c *Cache) removeLock(path string) {
	unlock, err := filelock.Lock(context.Background(), path, 0)
	if err != nil {
		return
	}
	defer unlock()
	if err := os.Remove(path); err != nil {
		c.options.Trace("clean up the cache: %v", err)
	}
}

// tempEnd stands for the ending of a temporary file of atomicfile, left by a killed process.
const tempEnd = "temp"

// split returns the two parts of a file's name; both are "" if the file is not one of the cache's.
func split(file string) (name, end string) {
	for _, end := range []string{entryEnd, lockEnd} {
		if name, ok := strings.CutSuffix(file, end); ok && isName(name) {
			return name, end
		}
	}
	// atomicfile's form: .NAME.session.NUMBER
	if hidden, ok := strings.CutPrefix(file, "."); ok && len(hidden) > nameSize+len(entryEnd) {
		name, after := hidden[:nameSize], hidden[nameSize:]
		if isName(name) && strings.HasPrefix(after, entryEnd+".") {
			return name, tempEnd
		}
	}
	return "", ""
}

func isName(name string) bool {
	_, err := hex.DecodeString(name)
	return err == nil && len(name) == nameSize && strings.ToLower(name) == name
}
