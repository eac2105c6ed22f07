//go:build !windows

package tpm

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// resourceManaged is the device that swaps objects and sessions in and out (Linux 4.12), and
// is the one to use; the other can be opened once at a time.
const (
	resourceManaged = "/dev/tpmrm0"
	bareDevice      = "/dev/tpm0"
)

func defaultAddress() address {
	if _, err := os.Stat(resourceManaged); err != nil {
		if _, err := os.Stat(bareDevice); err == nil {
			return address{byFile, bareDevice}
		}
	}
	return address{byFile, resourceManaged}
}

// openFile opens a device. The descriptor is left blocking: the kernel then carries out a
// command within the write, and the response is there for the read. Without that, a read too
// early is the end of the file.
func openFile(path string) (ch channel, raw bool, err error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return stream{os.NewFile(uintptr(fd), path)}, !strings.HasPrefix(path, "/dev/tpmrm"), nil
}

func openTBS() (channel, bool, error) {
	return nil, false, errors.Join(errors.New("tbs is a service of Windows"), syscall.ENODEV)
}
