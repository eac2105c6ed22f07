package serve

import (
	"errors"
	"syscall"
)

func setOption(fd uintptr, level, option, value int) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), level, option, value)
}

// tryOption sets an option on a new socket.
func tryOption(family, level, option, value int) error {
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	syscall.CloseOnExec(fd)
	return errors.Join(setOption(uintptr(fd), level, option, value), syscall.Closesocket(fd))
}
