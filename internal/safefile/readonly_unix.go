//go:build unix && !solaris

package safefile

import (
	"errors"
	"syscall"
)

// readOnly reports whether a folder is on a file system that is mounted so: the volume of a ConfigMap
// of Kubernetes has mode 0777.
func readOnly(folder string) bool {
	const write = 2 // W_OK of access(2)
	return errors.Is(syscall.Access(folder, write), syscall.EROFS)
}
