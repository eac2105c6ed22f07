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

// lock takes the lock of a file. The lock file is in the same open folder.
func lock(ctx context.Context, target *atomicfile.Target) (unlock func(), err error) {
	name := lockName(target.Name())
	if err := prepareLock(name, target); err != nil {
		return nil, err
	}
	open := func(flag int) (*os.File, error) { return openLock(name, target, flag) }
	return filelock.LockOpened(ctx, filepath.Join(filepath.Dir(target.Path()), name), open, lockTimeout)
}

// prepareLock creates the lock file, if it does not exist, and restricts it to the owner of the
// target, also if an earlier version left it open to all: a user who can open it can make the
// others wait.
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
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) { // FreeBSD returns EMLINK
		return nil, fmt.Errorf("%s is a symbolic link, not a lock: remove it", filepath.Join(filepath.Dir(target.Path()), name))
	}
	return f, err
}

// secureLock gives a lock file that root created to the owner, and removes the permissions of all
// others. The folder can belong to another user, who could have put any file there: root changes
// only an empty file with one name.
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
		return nil // root's own lock, which only root can change
	}
	if info.Mode().Perm() != lockMode {
		_ = f.Chmod(lockMode) // fails on file systems without modes
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
