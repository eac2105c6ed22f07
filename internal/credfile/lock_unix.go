//go:build unix

package credfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const lockMode = 0o600

// prepareLock makes the file that stands for the lock, if there is none, and keeps it, as it keeps
// one that an earlier version left open to all, from everybody but the owner of the file at target:
// whoever can open it can make the others wait.
func prepareLock(path, target string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, lockMode)
	if errors.Is(err, syscall.ELOOP) {
		return fmt.Errorf("%s is a symbolic link, not a lock: remove it", path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	owner, err := keeperOf(target)
	if err != nil {
		return err
	}
	return secureLock(f, owner)
}

// keeperOf says to whom the lock of a file belongs: to its owner, or that of the folder in which
// it will be made.
func keeperOf(target string) (*syscall.Stat_t, error) {
	info, err := os.Stat(target)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(target))
	}
	if err != nil {
		return nil, err
	}
	return statOf(info)
}

// secureLock gives the file to the owner, where root made it, and takes it away from all others. The
// folder can be another user's, who could have put anything there: root changes nothing but
// an empty file that has no other name.
func secureLock(f *os.File, owner *syscall.Stat_t) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	have, err := statOf(info)
	if err != nil {
		return err
	}
	me := uint32(os.Geteuid())
	switch {
	case !info.Mode().IsRegular() || info.Size() > 0 || have.Nlink > 1:
		return fmt.Errorf("%s is in the place of the lock, which is an empty file: remove it", f.Name())
	case have.Uid != 0 && have.Uid != me && have.Uid != owner.Uid:
		return fmt.Errorf("%s belongs to another user (uid %d), who could keep it locked: remove it", f.Name(), have.Uid)
	case have.Uid != me && me != 0:
		return nil // root's, who alone can change it
	}
	if info.Mode().Perm() != lockMode {
		_ = f.Chmod(lockMode) // refused by file systems that have no modes
	}
	if me == 0 && have.Uid != owner.Uid {
		return f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

func statOf(info fs.FileInfo) (*syscall.Stat_t, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s: its owner is not known", info.Name())
	}
	return stat, nil
}
