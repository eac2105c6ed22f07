package cadir

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
)

const (
	// awsLock is the name of an empty file that is locked while the ARNs are read, changed and written.
	awsLock     = "." + AWSName + ".lock"
	awsLockWait = 10 * time.Second
)

// LockAWS lets one process at a time change the ARNs in the folder: what is read after it and written before unlock
// loses nothing that another process writes. It waits for others some seconds; then the error is a *filelock.HeldError.
func (f Folder) LockAWS(ctx context.Context) (unlock func(), err error) {
	path := filepath.Join(f.Dir, awsLock)
	if err := atomicfile.Create(path, nil, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return filelock.Lock(ctx, path, awsLockWait)
}
