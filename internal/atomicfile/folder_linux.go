package atomicfile

import (
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// searchOnly is the flag that opens a folder for lookups only, without permission to list it.
func searchOnly() int { return unix.O_PATH }

// readlink returns the target of a link, and the link's owner, both of the same link even if it is
// replaced meanwhile.
func (d *folder) readlink(name string) (to string, e entry, err error) {
	fd, err := openAt(d.fd, name, unix.O_PATH, 0)
	if err == nil {
		defer unix.Close(fd)
		var stat unix.Stat_t
		if err = unix.Fstat(fd, &stat); err == nil {
			e = entryOf(&stat)
			to, err = readlinkAt(fd, "") // readlink(2): the link that was opened
		}
	}
	if err != nil {
		return "", e, &fs.PathError{Op: "readlink", Path: d.join(name), Err: err}
	}
	return to, e, nil
}

// openNameless creates an unnamed file in the folder (O_TMPFILE).
func (d *folder) openNameless() (*os.File, error) {
	return d.openFile(".", unix.O_TMPFILE|os.O_WRONLY, 0o600)
}

// linkNameless gives the unnamed file a name through its link in /proc, as shown in open(2): doing
// so by its descriptor takes a privilege.
func (d *folder) linkNameless(f *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(f.Fd())), d.fd, name, unix.AT_SYMLINK_FOLLOW)
}
