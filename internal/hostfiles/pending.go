package hostfiles

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kedge/internal/atomicfile"
)

// lockTimeout bounds the wait for another process that works on the same name: longer than that
// process waits for its ledger.
const lockTimeout = 30 * time.Second

// Generate generates a key and its PKCS#8 encoding, and checks whether a certificate can be issued
// for it: after an error nothing is written. The encoding is cleared after use.
type Generate func() (key crypto.Signer, der []byte, err error)

// Pending is a key whose certificate is not written yet. It holds the lock of its files until it is
// closed.
type Pending struct {
	crypto.Signer
	Resumed bool // an interrupted run left the key

	paths  Paths
	unlock func()
}

// Begin locks a name and creates its key, or takes the one that an interrupted run left. If the
// name has a certificate, or something else is in the way, the error is fs.ErrExist; if an
// interrupted run of this user cannot have left the key, it is a *safefile.LeftoverError.
func Begin(ctx context.Context, paths Paths, generate Generate) (*Pending, error) {
	resume, err := paths.Interrupted()
	if err != nil {
		return nil, err
	}
	var key crypto.Signer
	if !resume {
		if key, err = create(paths.Key, generate); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if key == nil { // before the lock, which another user may hold
		if err := checkLeftover(paths.Key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	unlock, err := lockFile(ctx, paths.Key)
	if key == nil && errors.Is(err, fs.ErrNotExist) && atomicfile.Vacant(paths.Key) == nil { // another process has withdrawn its key
		return Begin(ctx, paths, generate)
	}
	if err != nil {
		return nil, err
	}
	p := &Pending{Signer: key, Resumed: key == nil, paths: paths, unlock: unlock}
	if err := p.check(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// check reads an existing key, unless another process has finished its files.
func (p *Pending) check() (err error) {
	if there, err := atomicfile.Exists(p.paths.Certificate); err != nil || there {
		return errors.Join(err, atomicfile.Vacant(p.paths.Key))
	}
	if p.Resumed {
		p.Signer, _, err = readLeftover(p.paths.Key)
	}
	return err
}

// create generates a key and writes it.
func create(path string, generate Generate) (crypto.Signer, error) {
	key, der, err := generate()
	defer clear(der)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	text := KeyPEM(der)
	defer clear(text)
	if err := atomicfile.Create(path, text, 0o600); err != nil {
		return nil, err
	}
	return key, nil
}

// Write writes the files that go with the key, the certificate last, and returns their paths.
func (p *Pending) Write(c Certificates, f Format) (Paths, error) {
	paths := p.paths
	files, err := f.encode(c, p.Signer, &paths)
	if err != nil {
		return Paths{}, err
	}
	write := atomicfile.CreateAll
	if p.Resumed {
		write = atomicfile.WriteAll // some may exist
	}
	if err := write(files...); err != nil {
		return Paths{}, unwritten(err)
	}
	return paths, nil
}

func unwritten(err error) error {
	return fmt.Errorf("the certificate is issued, but not written: %w", err)
}

// Withdraw removes the key, if Begin created it, when nothing was issued for it.
func (p *Pending) Withdraw() error {
	if p.Resumed {
		return nil
	}
	return os.Remove(p.paths.Key)
}

// Close releases the lock.
func (p *Pending) Close() { p.unlock() }
