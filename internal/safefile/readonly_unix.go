//go:build unix && !solaris

package safefile

import (
	"errors"
	"syscall"
)

// readOnly reports whether a folder is on a read-only file system: the volume of a Kubernetes
// ConfigMap has mode 0777 and is read-only.
func readOnly(folder string) bool {
	const write = 2 // W_OK of access(2)
	return errors.Is(syscall.Access(folder, write), syscall.EROFS)
}
