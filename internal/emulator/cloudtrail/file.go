package cloudtrail

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// File is the file of events. It is safe for concurrent use; a nil *File takes events and keeps none.
type File struct {
	mu   sync.Mutex
	file io.Writer
	cut  bool // the last line has no end
}

// Open opens a file to append to it; it is created for its owner alone (0600) if missing. Its errors name the path.
func Open(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the file of CloudTrail events: %s is a directory or a device", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the file of CloudTrail events: %w", err)
	}
	cut, err := isCut(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the file of CloudTrail events: %w", err)
	}
	return &File{file: f, cut: cut}, nil
}

// isCut reports whether the last line of a file has no end, as after a full disk.
func isCut(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return last[0] != '\n', err
}

// Write appends an event with one write, so that a reader, or a second process that appends, sees whole lines. An
// event that could not be written whole is lost, and none after it.
func (f *File) Write(e Event) error {
	if f == nil {
		return nil
	}
	line, err := e.line()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		line = append([]byte{'\n'}, line...)
	}
	n, err := f.file.Write(line)
	if n > 0 {
		f.cut = line[n-1] != '\n'
	}
	return err
}
