package atomicfile

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// openNameless opens a new file in a folder that has no name there.
//
// Source: open(2), O_TMPFILE; the number is the kernel's of all machines that Go knows.
func openNameless(dir string) (*os.File, error) {
	const tmpfile = 0x400000 | syscall.O_DIRECTORY
	return os.OpenFile(dir, tmpfile|os.O_WRONLY, 0o600)
}

// linkNameless gives it one, as open(2) shows it: by the link that /proc has to it, since
// without that it takes a privilege.
func linkNameless(f *os.File, path string) error {
	const (
		fdcwd  = -100 // AT_FDCWD
		follow = 0x400
	)
	from, err := syscall.BytePtrFromString("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
	if err != nil {
		return err
	}
	to, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	here := fdcwd
	_, _, errno := syscall.Syscall6(syscall.SYS_LINKAT, uintptr(here), uintptr(unsafe.Pointer(from)),
		uintptr(here), uintptr(unsafe.Pointer(to)), follow, 0)
	runtime.KeepAlive(f)
	if errno != 0 {
		return errno
	}
	return nil
}
