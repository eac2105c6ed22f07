package main

import (
	"context"
	"crypto"

	"kedge/internal/cadir"
)

// keys opens what the flags say.
func (f *storeFlags) keys(h host) *cadir.Keys {
	if f.once == nil {
		f.once = cadir.Passwords{}
	}
	return &cadir.Keys{Folder: f.folder(), Password: f.password, Hardware: f.hardware, Host: h.inputs, Once: f.once}
}

// readKey opens NAME.key, or the key that NAME.key-uri names. public is what it must be, where
// that is known: some tokens do not tell. Where there is no key, the error is a *caError.
func (f *storeFlags) readKey(ctx context.Context, h host, name string, public crypto.PublicKey) (*cadir.Key, error) {
	key, err := f.keys(h).Open(ctx, name, public)
	return key, keyError(err)
}

// keyError makes a key that is not here a *caError.
func keyError(err error) error {
	if is[*cadir.NoKeyError](err) {
		return &caError{error: err, noKey: true}
	}
	return err
}
