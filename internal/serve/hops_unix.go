//go:build !windows

package serve

import "syscall"

func setOption(fd uintptr, level, option, value int) error {
	return syscall.SetsockoptInt(int(fd), level, option, value)
}
