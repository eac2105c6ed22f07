package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"kedge/internal/atomicfile"
	"kedge/internal/emulator"
)

// environmentStart is the beginning of each environment.
const environmentStart = "export KEDGE_ENDPOINT='"

// announced are the files, with their content, by which an emulator reports that it is ready. Another
// emulator can be given the same files.
type announced map[string]string

// write writes the file of a flag, if there is one.
func (a announced) write(flag, path, content string, mode fs.FileMode) error {
	if path == "" {
		return nil
	}
	if err := atomicfile.Write(path, []byte(content), mode); err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	a[path] = content
	return nil
}

// remove removes the files that no other emulator has written since.
func (a announced) remove() {
	for path, content := range a {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if data, err := emulator.ReadFile(path); err == nil && string(data) == content {
			_ = os.Remove(path)
		}
	}
}

// takeStale removes the environment that another emulator wrote to a file, so that no client waits for this
// one and gets that one. It returns what was removed. Any other file stays.
func takeStale(path string) []byte {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	data, err := emulator.ReadFile(path)
	if err != nil || !bytes.HasPrefix(data, []byte(environmentStart)) || os.Remove(path) != nil {
		return nil
	}
	return data
}

// putBack undoes takeStale, for an emulator that runs.
func putBack(path string, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if err := atomicfile.Create(path, data, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--env-file: %w", err)
	}
	return nil
}
