//go:build unix

package config

import (
	"os"
	"syscall"
)

// openDescriptor returns a copy of a descriptor that this process was started with. The original stays
// open: else its number would go to another file, which a second read would take bytes from and close.
// Programs that this one starts inherit neither.
func openDescriptor(fd int, name string) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copied, err := syscall.Dup(fd)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(copied)
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(copied), name), nil
}
