//go:build unix

package atomicfile

import (
	"fmt"
	"os"
	"syscall"
)

// like gives an open new file what the file that it will replace has beside its bytes: the owner and
// group first, since the system takes rights away when those change, and then who else may use it.
func (f File) like(file *os.File) error {
	if err := own(file, f.Like); err != nil {
		return fmt.Errorf("keep its owner: %w", cause(err))
	}
	return copyAttributes(file, f.Like)
}

// own gives an open file the owner and group of another. It asks for nothing that is so already:
// that takes no privilege.
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
