package hostdir

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Pending is the place of a key that is on disk since before the first request for its certificate.
type Pending struct {
	folder *Folder
	name   string
}

// Enrollment is the place of the key of a first certificate.
func (f *Folder) Enrollment() Pending { return Pending{f, enrollName} }

// Renewal is the place of the key that follows that of a leaf. Keys that were to follow other leaves
// are no use any more.
func (f *Folder) Renewal(leaf *x509.Certificate) Pending {
	hash := sha256.Sum256(leaf.Raw)
	return Pending{f, renewPrefix + hex.EncodeToString(hash[:8])}
}

func isPending(name string) bool {
	return name == enrollName || strings.HasPrefix(name, renewPrefix)
}

// KeyFile returns the path of the key.
func (p Pending) KeyFile() string { return p.folder.in(p.name, KeyName) }

// Exists reports whether an interrupted run left a key.
func (p Pending) Exists() (bool, error) {
	_, err := os.Lstat(p.KeyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Make makes the folder of the key; create then makes the key durably at the path.
func (p Pending) Make(create func(path string) error) error {
	if err := p.folder.change("make " + p.name); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.KeyFile()), 0o700); err != nil {
		return err
	}
	if err := p.folder.change("make the key"); err != nil {
		return err
	}
	if err := create(p.KeyFile()); err != nil {
		return err
	}
	return syncFolder(p.folder.path)
}

// Discard removes the key.
func (p Pending) Discard() error { return p.folder.removeAll(p.name) }
