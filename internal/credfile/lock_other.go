//go:build !unix

package credfile

import (
	"context"
	"os"
	"path/filepath"

	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
)

// lock takes the lock of a file, and creates the lock file if it does not exist. Which users can
// open that follows from its folder.
func lock(ctx context.Context, target *atomicfile.Target) (unlock func(), err error) {
	name := lockName(target.Name())
	f, err := target.OpenBeside(name, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	return filelock.Lock(ctx, filepath.Join(filepath.Dir(target.Path()), name), lockTimeout)
}
