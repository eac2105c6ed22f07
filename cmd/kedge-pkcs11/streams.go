//go:build cgo && unix

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// takeStreams moves the conversation to descriptors that the module does not know: what it
// prints goes to standard error, and what it reads is empty.
func takeStreams(stdin, stdout *os.File) (in, out *os.File, err error) {
	if in, err = private(stdin); err != nil {
		return nil, nil, err
	}
	if out, err = private(stdout); err != nil {
		return nil, nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	const standardError = 2
	return in, out, errors.Join(redirect(int(null.Fd()), int(stdin.Fd())), redirect(standardError, int(stdout.Fd())))
}

// private duplicates a stream to a descriptor that children do not inherit.
func private(f *os.File) (*os.File, error) {
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil, errors.New("is started by kedge and kedge-ca, to load PKCS#11 modules; it does nothing by itself")
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func redirect(from, to int) error {
	return os.NewSyscallError("dup2", unix.Dup2(from, to))
}
