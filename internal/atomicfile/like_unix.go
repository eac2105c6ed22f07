//go:build unix

package atomicfile

import (
	"fmt"
	"os"
	"syscall"
)

// like copies owner, group and access rights from the file that will be replaced to an open new
// file: the owner and group first, since changing them clears permission bits.
func (f File) like(file *os.File) error {
	if err := own(file, f.Like); err != nil {
		return fmt.Errorf("keep its owner: %w", cause(err))
	}
	return copyAttributes(file, f.Like)
}

// own sets the owner and group of an open file to those of another. It changes only what differs,
// since a change takes a privilege.
func own(file, other *os.File) error {
	want, err := statOf(other)
	if err != nil {
		return err
	}
	have, err := statOf(file)
	if err != nil || have.Uid == want.Uid && have.Gid == want.Gid {
		return err
	}
	return file.Chown(int(want.Uid), int(want.Gid))
}

func statOf(file *os.File) (*syscall.Stat_t, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("the owner of %s is not known", file.Name())
	}
	return stat, nil
}
