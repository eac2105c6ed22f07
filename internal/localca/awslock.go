package localca

import (
	"context"
	"fmt"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/filelock"
)

// lockWait is how long a second operator waits for the first one.
const lockWait = 2 * time.Second

// LockAccount takes the lock for changes of an account at AWS: of two operators with one folder, the second has a
// *filelock.HeldError.
func (c *CA) LockAccount(ctx context.Context) (unlock func(), err error) {
	unlock, err = filelock.Lock(ctx, c.folder.CertificatePath(issuance.RootName), lockWait)
	if is[*filelock.HeldError](err) {
		return nil, fmt.Errorf("another kedge-ca aws up or down is at work with this CA: %w", err)
	}
	return unlock, err
}
