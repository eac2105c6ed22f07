package hostfiles

import (
	"context"
	"crypto"
	"errors"
	"io/fs"
	"os"

	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
)

// Replace replaces a certificate and the files that go with it. An existing full chain is replaced
// whatever is in f. stale is a PKCS#12 that still holds the old certificate, since it cannot be
// written without its password. key is for the PKCS#12 only.
func Replace(paths Paths, c Certificates, f Format, key crypto.Signer) (written Paths, stale string, err error) {
	there, err := atomicfile.Exists(paths.FullChain)
	if err != nil {
		return Paths{}, "", err
	}
	f.FullChain = f.FullChain || there
	if there, err = atomicfile.Exists(paths.PKCS12); err != nil {
		return Paths{}, "", err
	}
	if there && !f.PKCS12 {
		stale = paths.PKCS12
	}
	files, err := f.encode(c, key, &paths)
	if err != nil {
		return Paths{}, "", err
	}
	if err := atomicfile.WriteAll(files...); err != nil {
		return Paths{}, "", unwritten(err)
	}
	return paths, stale, nil
}

// Replacement is a new key, in NAME.key.new, for a name that has a key and a certificate. It takes
// no lock: the caller does.
type Replacement struct {
	crypto.Signer
	Resumed bool // an interrupted run left the key

	paths Paths
	text  []byte // PEM
}

func (p Paths) newKey() string { return p.Key + ".new" }

// NewReplacement generates a new key and writes it beside the old one, which must exist.
func NewReplacement(paths Paths, generate Generate) (*Replacement, error) {
	if there, err := atomicfile.Exists(paths.Key); err != nil || !there {
		return nil, errors.Join(err, &fs.PathError{Op: "replace", Path: paths.Key, Err: fs.ErrNotExist})
	}
	key, der, err := generate()
	defer clear(der)
	if err != nil {
		return nil, err
	}
	r := &Replacement{Signer: key, paths: paths, text: KeyPEM(der)}
	return r, atomicfile.Create(paths.newKey(), r.text, 0o600)
}

// ResumeReplacement takes the new key that an interrupted run left; if there is none, the error is
// fs.ErrNotExist. If an interrupted run of this user cannot have left it, it is a
// *safefile.LeftoverError.
func ResumeReplacement(paths Paths) (*Replacement, error) {
	key, text, err := readLeftover(paths.newKey())
	return &Replacement{Signer: key, Resumed: true, paths: paths, text: text}, err
}

// Finish writes the certificate and the files that go with it, as Replace does, and then replaces
// the old key with the new one.
func (r *Replacement) Finish(c Certificates, f Format) (written Paths, stale string, err error) {
	if written, stale, err = Replace(r.paths, c, f, r.Signer); err != nil {
		return Paths{}, "", err
	}
	defer clear(r.text)
	if err := replaceKey(r.paths.Key, r.text); err != nil {
		return Paths{}, "", err
	}
	err = os.Remove(r.paths.newKey())
	if errors.Is(err, fs.ErrNotExist) { // another process with the same key has done it
		err = nil
	}
	return written, stale, err
}

// replaceKey replaces a key of this user by one with its mode and group. If it is another user's, or
// the group is one that this user cannot give files to, only this user can read the new key.
func replaceKey(path string, text []byte) error {
	target, err := atomicfile.Open(path)
	if err != nil {
		return err
	}
	defer target.Close()
	if old, err := target.OpenFile(os.O_RDONLY); err == nil {
		defer old.Close()
		if mode, ok := sharedMode(old); ok && target.Write(atomicfile.File{Data: text, Mode: mode, Like: old}) == nil {
			return nil
		}
	}
	return target.Write(atomicfile.File{Data: text, Mode: 0o600})
}

// Path returns the path of the new key until Finish.
func (r *Replacement) Path() string { return r.paths.newKey() }

// Withdraw removes the new key when nothing was issued for it.
func (r *Replacement) Withdraw() error { return os.Remove(r.paths.newKey()) }

// Lock locks the existing files of a name until unlock is called: by the key, as Begin does, or by
// the certificate if the key is elsewhere.
func Lock(ctx context.Context, paths Paths) (unlock func(), err error) {
	path := paths.Key
	there, err := atomicfile.Exists(path)
	if err != nil {
		return nil, err
	}
	if !there {
		path = paths.Certificate
	}
	return lockFile(ctx, path)
}

// lockFile takes the lock of the file to which path leads, as it is written.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	target, err := atomicfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	return filelock.Lock(ctx, target.Path(), lockTimeout)
}
