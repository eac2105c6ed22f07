package main

import (
	"context"
	"crypto"
	"errors"

	"kedge/internal/atomicfile"
)

// caKey is the key of an authority that is being made. A run that was interrupted leaves the
// key in its file, and perhaps the certificate in the ledger; the next run goes on with them.
type caKey struct {
	crypto.Signer
	path     string   // NAME.key or NAME.key-uri
	resumed  bool     // that was there already
	open     *openKey // nil: it was made just now
	uri      string   // to be written to path when the key is elsewhere
	der      []byte   // to be written to path when it was made
	password []byte   // nil: in the clear
	warnings []string
}

// newCAKey opens the key that NAME.key or NAME.key-uri has, or that n names, or makes one. The
// last two are not written yet; f says where the password is.
func (f *storeFlags) newCAKey(ctx context.Context, h host, name string, kind keyKind, n newKeyFlags) (*caKey, error) {
	k, err := f.beginCAKey(ctx, h, name, kind, n)
	if err == nil {
		err = k.protect(h, f, n)
	}
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// beginCAKey is newCAKey without the password of a key that is made.
func (f *storeFlags) beginCAKey(ctx context.Context, h host, name string, kind keyKind, n newKeyFlags) (k *caKey, err error) {
	k = &caKey{path: f.keyPath(name)}
	path, there, err := f.keyFile(name)
	switch {
	case err != nil:
		return k, err
	case there && n.uri != "":
		if kept, err := f.folder().KeyURI(name); err != nil || kept != n.uri {
			return k, errors.Join(err, vacant(path))
		}
		fallthrough
	case there:
		k.path, k.resumed = path, true
		k.open, err = f.readKey(ctx, h, name, n.public)
	case n.uri != "":
		k.path, k.uri = f.uriPath(name), n.uri
		k.open, err = f.openURI(ctx, h, n.uri, n.public)
	default:
		k.Signer, k.der, err = kind.generate()
	}
	if err != nil {
		return k, &caError{error: err}
	}
	if k.open != nil {
		k.Signer, k.warnings = k.open, k.open.warnings
	}
	return k, nil
}

// protect gets the password of a key that was made.
func (k *caKey) protect(h host, f *storeFlags, n newKeyFlags) (err error) {
	if k.open == nil {
		k.password, k.warnings, err = n.readPassword(h, f.password, k.path)
	}
	return err
}

// write puts a fresh key, or where it is, into its file. A certificate must not exist without.
func (k *caKey) write() error {
	switch {
	case k.resumed:
		return nil
	case k.uri != "":
		return atomicfile.Create(k.path, []byte(k.uri+"\n"), 0o644)
	}
	defer clear(k.password)
	return createKey(k.path, k.der, k.password)
}

// tell reports the key, once all is done.
func (k *caKey) tell(h host, n newKeyFlags) {
	switch {
	case k.resumed:
		h.say("went on with the key in " + k.path + ", which was there already")
	case k.uri != "":
		h.say(k.path + " says where its key is, " + k.uri + ": without that key nothing can be issued")
	default:
		n.sayKey(h, k.path)
	}
	k.warn(h)
}

// warn tells what endangers the key.
func (k *caKey) warn(h host) {
	if k.open != nil && k.open.plain {
		h.warn(plainKey(k.open.String()))
	}
	for _, warning := range k.warnings {
		h.warn(warning)
	}
}

// where is the path of the key, or what names it elsewhere.
func (k *caKey) where() string {
	if k.uri != "" {
		return k.uri
	}
	return k.path
}

// Close lets go of a key in hardware.
func (k *caKey) Close() error {
	if k == nil || k.open == nil {
		return nil
	}
	return k.open.Close()
}
