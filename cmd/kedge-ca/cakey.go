package main

import (
	"context"
	"errors"

	"kedge/internal/cadir"
)

// newCAKey opens the key in NAME.key or NAME.key-uri, or the one that n names, or generates one.
// The last two are not written yet; f says where the password is.
func (f *storeFlags) newCAKey(ctx context.Context, h host, name string, kind keyKind, n newKeyFlags) (*cadir.NewKey, error) {
	k, err := f.beginCAKey(ctx, h, name, kind, n)
	if err == nil {
		err = f.protect(h, k, n)
	}
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// beginCAKey is newCAKey without the password of a generated key.
func (f *storeFlags) beginCAKey(ctx context.Context, h host, name string, kind keyKind, n newKeyFlags) (*cadir.NewKey, error) {
	return f.keys(h).Begin(ctx, cadir.KeyRequest{Authority: name, URI: n.uri, Public: n.public, Generate: kind.Generate})
}

// protect gets the password of a generated key.
func (f *storeFlags) protect(h host, k *cadir.NewKey, n newKeyFlags) (err error) {
	if k.Opened == nil {
		k.Password, k.Warnings, err = n.readPassword(h, f.password, k.Path)
	}
	return err
}

// tellKey reports the key of an authority, after everything else.
func (h host) tellKey(k *cadir.NewKey) {
	h.say(k.Outcome())
	h.warnAll(k.Dangers())
}

// request returns the request for the key of an authority: the one that the flags name, or a new one
// of a kind. keyFrom is the value of --key-password-from.
func (f *newKeyFlags) request(h host, keyFrom string, kind keyKind) cadir.KeyRequest {
	return cadir.KeyRequest{URI: f.uri, Public: f.public, Generate: kind.Generate, Password: func(path string) ([]byte, []string, error) {
		return f.readPassword(h, keyFrom, path)
	}}
}
