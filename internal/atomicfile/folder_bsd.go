//go:build unix && !linux

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// searchOnly opens a folder to find names in it, which takes no permission to list it. It is O_SEARCH
// of POSIX where that exists.
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

// readlink returns what is in a link, and whose it is. A link cannot be opened here: one that is
// replaced in between is refused, unless it comes back.
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

// There are no files without a name here.
func (d *folder) openNameless() (*os.File, error) { return nil, errors.ErrUnsupported }

func (d *folder) linkNameless(*os.File, string) error { return errors.ErrUnsupported }
