package atomicfile

import (
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// searchOnly opens a folder to find names in it, which takes no permission to list it.
func searchOnly() int { return unix.O_PATH }

// readlink returns what is in a link, and whose it is: of the same link, whatever is put in its place.
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

// openNameless opens a new file in the folder that has no name there.
func (d *folder) openNameless() (*os.File, error) {
	return d.openFile(".", unix.O_TMPFILE|os.O_WRONLY, 0o600)
}

// linkNameless gives it one, as open(2) shows it: by the link that /proc has to it, since
// without that it takes a privilege.
func (d *folder) linkNameless(f *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(f.Fd())), d.fd, name, unix.AT_SYMLINK_FOLLOW)
}
