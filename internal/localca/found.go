package localca

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/hostfiles"
)

// InterruptedError reports that creating a CA was interrupted before, or that a CA has lost all but
// its key.
type InterruptedError struct{ Key, Ledger string }

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("%s is there, but no ca.pem and no CA in %s: an init was interrupted, or they were lost", e.Key, e.Ledger)
}

// OccupiedError reports that a folder holds a CA, or a part of one.
type OccupiedError struct {
	Folder string
	Err    error // the file that is there
}

func (e *OccupiedError) Error() string { return e.Err.Error() }

func (e *OccupiedError) Unwrap() error { return e.Err }

// CheckVacant refuses a folder that holds a CA, or a part of one, with an *OccupiedError. If there is
// only the key, the error is an *InterruptedError.
func CheckVacant(ctx context.Context, c Config) error {
	folder := c.Keys.Folder
	certPath := folder.CertificatePath(issuance.RootName)
	keyPath, _, err := folder.KeyFile(issuance.RootName)
	if err != nil {
		return err
	}
	taken := atomicfile.Vacant(keyPath, certPath)
	if !errors.Is(taken, fs.ErrExist) {
		return taken
	}
	taken = &OccupiedError{folder.Dir, taken}
	if atomicfile.Vacant(keyPath) == nil || atomicfile.Vacant(certPath) != nil {
		return taken
	}
	opened, err := Open(ctx, c, ledger.Options{})
	if _, ok := errors.AsType[*ledger.MissingError](err); ok {
		return &InterruptedError{keyPath, "its ledger"}
	}
	if err != nil {
		return taken
	}
	all, err := opened.Ledger.Authorities(ctx)
	if err = errors.Join(err, opened.Close()); err == nil && len(all) == 0 {
		return &InterruptedError{keyPath, "the ledger " + opened.Ledger.Where()}
	}
	return taken
}

// Found writes the files of a new CA: the key first, since a certificate without key is of no use,
// then the ledger with the root's certificate, and ca.pem last, which can be rewritten from the
// ledger. After an error it removes them, except what other processes may have read.
func Found(ctx context.Context, c Config, key *cadir.NewKey, root *ca.Prepared) (*x509.Certificate, error) {
	folder := c.Keys.Folder
	if err := os.MkdirAll(folder.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := key.Write(); err != nil {
		return nil, err
	}
	opened, err := Open(ctx, c, ledger.Options{Create: true})
	if err != nil { // an empty ledger may be left, which the next run uses
		return nil, errors.Join(err, removeAll(key.Path))
	}
	if err := opened.Service.CheckEmpty(ctx); err != nil {
		return nil, errors.Join(err, opened.Close(), removeAll(key.Path))
	}
	cert, err := opened.Service.Found(ctx, root)
	if err = errors.Join(err, opened.Close()); err != nil {
		if fresh := opened.fresh; fresh != "" {
			err = errors.Join(err, removeAll(key.Path, fresh, fresh+"-wal", fresh+"-shm"))
		}
		return nil, err
	}
	return cert, atomicfile.Create(folder.CertificatePath(issuance.RootName), hostfiles.CertificatePEM(cert), 0o644)
}

// removeAll removes what was written before an error.
func removeAll(paths ...string) error {
	var all error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}
