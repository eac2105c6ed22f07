package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWriteError has the words for what a system reports.
func TestWriteError(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"the disk is full":                  syscall.ENOSPC,
		"the quota of this user is used up": syscall.EDQUOT,
		"the file system is read-only":      syscall.EROFS,
		"the disk has errors":               syscall.EIO,
		"this user may not write there":     syscall.EACCES,
		"the disk takes too long":           context.DeadlineExceeded,
		"there is no such folder any more":  syscall.ENOENT,
		"the system refuses it":             errors.New("unlinkat /state/ASIA.json: strange"),
	} {
		failed := newWriteError(filepath.Join("state", "ASIA.json"), &os.PathError{Op: "open", Path: "ASIA.json", Err: err})
		if got := failed.Error(); got != "1 file was not written into the state folder state: "+want {
			t.Errorf("%v: %s", err, got)
		}
		if !errors.Is(failed, err) {
			t.Errorf("%v is not in the error", err)
		}
	}
}
