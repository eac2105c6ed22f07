//go:build !unix

package atomicfile

import (
	"errors"
	"os"
)

// Folder is nothing here, where a folder that is open cannot be replaced.
type Folder struct{}

// OpenFolder fails with errors.ErrUnsupported.
func OpenFolder(string) (*Folder, error) { return nil, errors.ErrUnsupported }

// Link is never called.
func (f *Folder) Link(string) (string, error) { return "", errors.ErrUnsupported }

// Open is never called.
func (f *Folder) Open(string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Close is never called.
func (f *Folder) Close() error { return nil }
