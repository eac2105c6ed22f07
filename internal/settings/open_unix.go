//go:build unix

package settings

import (
	"errors"
	"syscall"
)

// isNotDirectory reports whether a file stands where a folder is looked for.
func isNotDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
