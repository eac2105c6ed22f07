package credfile

import (
	"context"
	"path/filepath"
	"time"

	"kedge/internal/filelock"
)

// patience is how long another process may keep the lock: to write takes a moment.
const patience = 30 * time.Second

// lock takes the lock of the file at target. Only kedge asks for it, and only who may replace the
// file needs it: its owner, and root.
func lock(ctx context.Context, target string) (unlock func(), err error) {
	path := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".lock")
	if err := prepareLock(path, target); err != nil {
		return nil, err
	}
	return filelock.Lock(ctx, path, patience)
}
