package main

import (
	"context"
	"errors"

	"kedge/internal/cadir"
)

// caKey is the key of an authority that is being made.
type caKey struct {
	*cadir.NewKey
	path     string     // NAME.key or NAME.key-uri
	resumed  bool       // that was there already
	open     *cadir.Key // nil: it was made just now
	password []byte     // nil: in the clear
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
func (f *storeFlags) beginCAKey(ctx context.Context, h host, name string, kind keyKind, n newKeyFlags) (*caKey, error) {
	key, err := f.keys(h).Begin(ctx, cadir.KeyRequest{Authority: name, URI: n.uri, Public: n.public, Generate: kind.Generate})
	k := &caKey{NewKey: key, path: key.Path, resumed: key.Resumed, open: key.Opened}
	if err != nil {
		return k, err
	}
	if k.open != nil {
		k.warnings = k.open.Warnings
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
func (k *caKey) write() error { return k.Write(k.password) }

// tell reports the key, once all is done.
func (k *caKey) tell(h host, n newKeyFlags) {
	switch {
	case k.resumed && k.URI != "":
		h.say(wentOn(k.URI + ", which " + k.path + " names"))
	case k.resumed:
		h.say(wentOn(k.path))
	case k.URI != "":
		h.say(k.path + " says where its key is, " + k.URI + ": without that key nothing can be issued")
	default:
		n.sayKey(h, k.path)
	}
	k.warn(h)
}

// wentOn says which key was not made by this run.
func wentOn(path string) string {
	return "went on with the key in " + path + ", left by a run that was interrupted"
}

// warn tells what endangers the key.
func (k *caKey) warn(h host) {
	if k.open != nil && k.open.Plain {
		h.warn(plainKey(k.open.String()))
	}
	for _, warning := range k.warnings {
		h.warn(warning)
	}
}

// Close lets go of a key in hardware.
func (k *caKey) Close() error {
	if k == nil {
		return nil
	}
	return k.NewKey.Close()
}
