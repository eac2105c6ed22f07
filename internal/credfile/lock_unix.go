//go:build unix

package credfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
)

const lockMode = 0o600

// lock takes the lock of a file. The file that stands for it is in the same open folder.
func lock(ctx context.Context, target *atomicfile.Target) (unlock func(), err error) {
	name := lockName(target.Name())
	if err := prepareLock(name, target); err != nil {
		return nil, err
	}
	open := func(flag int) (*os.File, error) { return openLock(name, target, flag) }
	return filelock.LockOpened(ctx, filepath.Join(filepath.Dir(target.Path()), name), open, lockTimeout)
}

// prepareLock makes the file that stands for the lock, if there is none, and keeps it, as it keeps
// one that an earlier version left open to all, from everybody but the owner of the target:
// whoever can open it can make the others wait.
func prepareLock(name string, target *atomicfile.Target) error {
	f, err := openLock(name, target, os.O_RDONLY|os.O_CREATE)
	if err != nil {
		return err
	}
	defer f.Close()
	uid, gid, err := target.Owner()
	if err != nil {
		return err
	}
	return secureLock(f, uid, gid)
}

func openLock(name string, target *atomicfile.Target, flag int) (*os.File, error) {
	f, err := target.OpenBeside(name, flag, lockMode)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) { // the latter on FreeBSD
		return nil, fmt.Errorf("%s is a symbolic link, not a lock: remove it", filepath.Join(filepath.Dir(target.Path()), name))
	}
	return f, err
}

// secureLock gives the file to the owner, where root made it, and takes it away from all others. The
// folder can be another user's, who could have put anything there: root changes nothing but
// an empty file that has no other name.
func secureLock(f *os.File, uid, gid int) error {
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
	case have.Uid != 0 && have.Uid != me && int(have.Uid) != uid:
		return fmt.Errorf("%s belongs to another user (uid %d), who could keep it locked: remove it", f.Name(), have.Uid)
	case have.Uid != me && me != 0:
		return nil // root's, who alone can change it
	}
	if info.Mode().Perm() != lockMode {
		_ = f.Chmod(lockMode) // refused by file systems that have no modes
	}
	if me == 0 && int(have.Uid) != uid {
		return f.Chown(uid, gid)
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
