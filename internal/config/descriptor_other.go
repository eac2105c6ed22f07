//go:build !unix

package config

import (
	"os"
	"syscall"
)

// openDescriptor returns the file of a handle that this process was started with.
func openDescriptor(fd int, name string) (*os.File, error) {
	if f := os.NewFile(uintptr(fd), name); f != nil {
		return f, nil
	}
	return nil, syscall.EINVAL
}
