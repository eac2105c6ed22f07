// Package state keeps the resources of an emulated service in a folder: a JSON document each, with a
// version, replaced atomically. It is for one process at a time.
package state

import (
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	version   = 1
	extension = ".json"
)

// Folder is a folder of documents. The zero Folder keeps nothing.
type Folder struct {
	path   string
	writer *Writer
}

// document is the form of a file.
type document struct {
	Version int            `json:"version"`
	Content jsontext.Value `json:"content"`
}

// Open returns the folder of a service in the state folder dir; it is created (0700) if missing. If
// dir is empty, nothing is kept.
func Open(dir, service string) (Folder, error) {
	if dir == "" {
		return Folder{}, nil
	}
	f := Folder{filepath.Join(dir, service), &Writer{}}
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return Folder{}, err
	}
	return f, os.Chmod(f.path, 0o700) // an existing one may be accessible to others
}

// Each calls take with every document, in the order of their names. What a killed process left
// unfinished is removed. The error is a
// *[FileError], except for a folder that cannot be read.
func (f Folder) Each(take func(name string, content []byte) error) error {
	if f.path == "" {
		return nil
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(f.path, entry.Name())
		name, isDocument := strings.CutSuffix(entry.Name(), extension)
		if strings.HasPrefix(name, ".") {
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		if !isDocument {
			continue // not ours
		}
		content, err := read(path)
		if err == nil {
			err = take(name, content)
		}
		if err != nil {
			return &FileError{path, err}
		}
	}
	return nil
}

// FileError is a file of a state folder that cannot be used.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// ErrDamaged is returned for a file that is not a document, because it was cut short or changed.
var ErrDamaged = errors.New("it is cut short or damaged")

func read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(data, &d, json.RejectUnknownMembers(true)); err != nil || len(d.Content) == 0 {
		return nil, ErrDamaged
	}
	if d.Version != version {
		return nil, fmt.Errorf("it has the version %d; this program reads version %d", d.Version, version)
	}
	return d.Content, nil
}

// Write replaces a document. Once it returns nil, a restart does not lose it.
func (f Folder) Write(name string, content any) error {
	data, err := f.encode(content)
	if err != nil || data == nil {
		return err
	}
	return f.writer.Now(f.file(name), data)
}

// WriteLater has a document replaced while the caller goes on; see [Writer.Later].
func (f Folder) WriteLater(name string, content any) error {
	data, err := f.encode(content)
	if err != nil || data == nil {
		return err
	}
	return f.writer.Later(f.file(name), data)
}

// Report has a function called when what WriteLater or RemoveLater left could not be written; see [Writer.Report].
func (f Folder) Report(report func(error)) {
	if f.path != "" {
		f.writer.Report(report)
	}
}

// Flush writes what waits to be written; see [Writer.Flush].
func (f Folder) Flush(ctx context.Context) error {
	if f.path == "" {
		return nil
	}
	return f.writer.Flush(ctx)
}

func (f Folder) file(name string) string { return filepath.Join(f.path, name+extension) }

// encode returns a document; nil if the folder keeps nothing.
func (f Folder) encode(content any) ([]byte, error) {
	if f.path == "" {
		return nil, nil
	}
	value, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return json.Marshal(document{version, value})
}

// Remove removes a document; one that does not exist is no error.
func (f Folder) Remove(name string) error {
	if f.path == "" {
		return nil
	}
	return f.writer.Now(f.file(name), nil)
}

// RemoveLater has a document removed while the caller goes on; see [Writer.Later].
func (f Folder) RemoveLater(name string) error {
	if f.path == "" {
		return nil
	}
	return f.writer.Later(f.file(name), nil)
}

// Replace writes a file (0600) of the emulator's own folder atomically.
func Replace(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
