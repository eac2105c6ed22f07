package localca

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/filelock"
)

// lockTimeout bounds the wait for another process that works on the same authority: longer than the
// wait for the ledger.
const lockTimeout = 30 * time.Second

// CheckNewName refuses a name for an authority that is no file name, or is taken.
func (c *CA) CheckNewName(ctx context.Context, name string) error {
	if err := c.Service.CheckNewName(ctx, name); err != nil {
		return err
	}
	return atomicfile.Vacant(c.folder.CertificatePath(name))
}

// TakeIn records the authorities of a path in the ledger, and writes their NAME.pem. from is the
// file of the first certificate, which may be its NAME.pem already.
func (c *CA) TakeIn(ctx context.Context, t issuance.TakeIn, from string) (ledger.Authority, error) {
	_, known, err := c.Service.Known(ctx, t.Name)
	if err != nil {
		return ledger.Authority{}, err
	}
	if at := c.folder.CertificatePath(t.Name); !known && !sameFile(at, from) {
		if err := atomicfile.Vacant(at); err != nil {
			return ledger.Authority{}, err
		}
	}
	all, err := c.Service.TakeIn(ctx, t)
	if err = errors.Join(err, c.WriteCopies(all...)); err != nil {
		return ledger.Authority{}, err
	}
	return all[len(all)-1], nil
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// AddIntermediate issues the certificate of an authority, whose name and parent are given, adds it
// to the ledger, and writes its NAME.pem. The key is written first, then the certificate is
// recorded, then the authority; the next run resumes after any of these steps.
func (c *CA) AddIntermediate(ctx context.Context, a ledger.Authority, key *cadir.NewKey, prepared *ca.Prepared, keepIssuer bool) (ledger.Authority, error) {
	var err error
	if a.Certificate, err = c.IssueCA(ctx, key, prepared); err != nil {
		return ledger.Authority{}, err
	}
	if a, err = c.Service.AddIntermediate(ctx, a, keepIssuer); err != nil {
		return ledger.Authority{}, err
	}
	return a, c.WriteCopies(a)
}

// IssueCA issues a certificate for the key of an authority, which is written first. If an earlier
// run or another process has recorded one, that is returned.
func (c *CA) IssueCA(ctx context.Context, key *cadir.NewKey, prepared *ca.Prepared) (*x509.Certificate, error) {
	if err := key.Write(); err != nil {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, key.Path, lockTimeout)
	if err != nil {
		return nil, err
	}
	defer unlock()
	cert, _, err := c.Service.IssueCA(ctx, prepared)
	if err != nil && !key.Resumed && !issuance.MayBeRecorded(err) {
		err = errors.Join(err, os.Remove(key.Path))
	}
	return cert, err
}
