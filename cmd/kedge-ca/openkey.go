package main

import (
	"context"
	"crypto"

	"kedge/internal/cadir"
	"kedge/internal/keys"
)

// openKey is the key of an authority, wherever it is.
type openKey struct {
	*keys.Key
	warnings []string // what endangers it
	plain    bool     // it lies in a file, and in the clear
}

// keys opens what the flags say.
func (f *storeFlags) keys(h host) *cadir.Keys {
	if f.once == nil {
		f.once = cadir.Passwords{}
	}
	return &cadir.Keys{Folder: f.folder(), Password: f.password, Hardware: f.hardware, Host: h.inputs, Once: f.once}
}

// readKey opens NAME.key, or the key that NAME.key-uri names. public is what it must be, where
// that is known: some tokens do not tell. Where there is no key, the error is a *caError.
func (f *storeFlags) readKey(ctx context.Context, h host, name string, public crypto.PublicKey) (*openKey, error) {
	key, err := f.keys(h).Open(ctx, name, public)
	return opened(key), keyError(err)
}

func opened(key *cadir.Key) *openKey {
	if key == nil {
		return nil
	}
	return &openKey{key.Key, key.Warnings, key.Plain}
}

// keyError makes a key that is not here a *caError.
func keyError(err error) error {
	if is[*cadir.NoKeyError](err) {
		return &caError{error: err, noKey: true}
	}
	return err
}
