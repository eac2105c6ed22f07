//go:build !windows

package httpserver

import (
	"math"
	"syscall"
)

// openableFiles returns how many descriptors this process may have open: the soft limit, which Go has
// raised to the hard one.
func openableFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur) // signed on FreeBSD
}
