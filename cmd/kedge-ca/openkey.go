package main

import (
	"context"
	"crypto"

	"kedge/internal/cadir"
)

// keys returns the keys that the flags select.
func (f *storeFlags) keys(h host) *cadir.Keys {
	if f.once == nil {
		f.once = cadir.Passwords{}
	}
	return &cadir.Keys{Folder: f.folder(), Password: f.password, Hardware: f.hardware, Host: h.inputs, Once: f.once}
}

// readKey opens NAME.key, or the key that NAME.key-uri names. public is its public key, if known:
// some tokens do not have it.
func (f *storeFlags) readKey(ctx context.Context, h host, name string, public crypto.PublicKey) (*cadir.Key, error) {
	return f.keys(h).Open(ctx, name, public)
}
