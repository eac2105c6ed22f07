package cloudtrail

import (
	"fmt"
	"os"
	"sync"
)

// File is the file of events. It is safe for concurrent use; a nil *File takes events and keeps none.
type File struct {
	mu   sync.Mutex
	file *os.File
}

// Open opens a file to append to it; it is created for its owner alone (0600) if missing. Its errors name the path.
func Open(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the file of CloudTrail events: %s is a directory or a device", path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the file of CloudTrail events: %w", err)
	}
	return &File{file: f}, nil
}

// Write appends an event with one write, so that a reader, or a second process that appends, sees whole lines.
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
	_, err = f.file.Write(line)
	return err
}
