//go:build unix && !linux

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// searchOnly is the flag that opens a folder for lookups only, without permission to list it:
// O_SEARCH of POSIX where it exists.
func searchOnly() int {
	switch runtime.GOOS {
	case "darwin", "ios":
		return 0x40000000
	case "freebsd":
		return 0x00040000
	case "netbsd":
		return 0x00800000
	}
	return os.O_RDONLY
}

// readlink returns the target of a link, and the link's owner. A link cannot be opened here: if it
// is replaced between the two calls and not put back, that is detected and refused.
func (d *folder) readlink(name string) (to string, e entry, err error) {
	before, err := d.lstat(name)
	if err != nil {
		return "", e, err
	}
	if to, err = readlinkAt(d.fd, name); err != nil {
		return "", e, &fs.PathError{Op: "readlink", Path: d.join(name), Err: err}
	}
	if e, err = d.lstat(name); err == nil && e != before {
		err = &fs.PathError{Op: "readlink", Path: d.join(name), Err: syscall.EAGAIN}
	}
	return to, e, err
}

// openNameless fails: there are no unnamed files on this system.
func (d *folder) openNameless() (*os.File, error) { return nil, errors.ErrUnsupported }

func (d *folder) linkNameless(*os.File, string) error { return errors.ErrUnsupported }
