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
// one waits for its ledger.
const lockTimeout = 30 * time.Second

// Generate makes a key and its PKCS#8 encoding, and checks whether a certificate can be issued for
// it: after an error nothing is written. The encoding is cleared.
type Generate func() (key crypto.Signer, der []byte, err error)

// Pending is a key whose certificate is not written yet. Until it is closed, no other process
// works on its files.
type Pending struct {
	crypto.Signer
	Resumed bool // it was there, left by a run that was interrupted

	paths  Paths
	unlock func()
}

// Begin makes the key of a name and writes it, or takes the one that an interrupted run left, once
// no other process works on it. A name that has a certificate, or something else in the way, is
// fs.ErrExist; a key that no interrupted run of this user can have left, a *safefile.LeftoverError.
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
	if key == nil && errors.Is(err, fs.ErrNotExist) && atomicfile.Vacant(paths.Key) == nil { // another process took its key back
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

// check reads a key that was there, unless another process finished what it is for.
func (p *Pending) check() (err error) {
	if there, err := atomicfile.Exists(p.paths.Certificate); err != nil || there {
		return errors.Join(err, atomicfile.Vacant(p.paths.Key))
	}
	if p.Resumed {
		p.Signer, _, err = readLeftover(p.paths.Key)
	}
	return err
}

// create makes a key and writes it.
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

// Write writes what goes with the key, the certificate last, and returns the paths of what it wrote.
func (p *Pending) Write(c Certificates, f Format) (Paths, error) {
	paths := p.paths
	files, err := f.encode(c, p.Signer, &paths)
	if err != nil {
		return Paths{}, err
	}
	write := atomicfile.CreateAll
	if p.Resumed {
		write = atomicfile.WriteAll // some can be there
	}
	if err := write(files...); err != nil {
		return Paths{}, unwritten(err)
	}
	return paths, nil
}

func unwritten(err error) error {
	return fmt.Errorf("the certificate is issued, but not written: %w", err)
}

// Withdraw removes a key for which nothing was issued, if Begin made it.
func (p *Pending) Withdraw() error {
	if p.Resumed {
		return nil
	}
	return os.Remove(p.paths.Key)
}

// Close lets other processes work on the files.
func (p *Pending) Close() { p.unlock() }
