package localca

import (
	"context"
	"fmt"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/filelock"
)

const (
	lockWait = 2 * time.Second // how long a second operator waits for the first one
	lockPoll = lockWait / 10
)

// LockAccount takes the locks for changes of an account at AWS: one in the CA's folder, and one in the database that
// several folders can share. Of two operators the second has a *filelock.HeldError. A ledger in a file has a lock for
// each process: two folders should not share one.
func (c *CA) LockAccount(ctx context.Context) (unlock func(), err error) {
	unlockFolder, err := filelock.Lock(ctx, c.folder.CertificatePath(issuance.RootName), lockWait)
	if err != nil {
		return nil, atWork(err)
	}
	unlockLedger, err := c.lockAccountInLedger(ctx)
	if err != nil {
		unlockFolder()
		return nil, atWork(err)
	}
	return func() { unlockLedger(); unlockFolder() }, nil
}

// atWork adds to the error of a lock which work that is.
func atWork(err error) error {
	if is[*filelock.HeldError](err) {
		return fmt.Errorf("another kedge-ca aws up, down or rotate is at work with this CA: %w", err)
	}
	return err
}

// lockAccountInLedger waits for the lock in the database.
func (c *CA) lockAccountInLedger(ctx context.Context) (release func(), err error) {
	for end := time.Now().Add(lockWait); ; {
		release, ok, err := c.Service.TryAccountLock(ctx)
		switch {
		case err != nil:
			return nil, err
		case ok:
			return release, nil
		case time.Now().After(end):
			return nil, &filelock.HeldError{Path: c.Ledger.Where(), Waited: lockWait}
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
