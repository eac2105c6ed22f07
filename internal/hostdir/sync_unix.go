//go:build unix

package hostdir

import (
	"errors"
	"os"
	"syscall"
)

// syncFolder makes the names in a folder durable, where the file system can.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}
