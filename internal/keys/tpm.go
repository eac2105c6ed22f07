package keys

import (
	"context"
	"errors"
	"fmt"

	"kedge/signer"
	"kedge/tpm"
)

// openTPM opens what a tpm: or handle: URI names.
func openTPM(ctx context.Context, uri string, o Options) (*Key, error) {
	u, err := tpm.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	var data []byte
	if u.File != "" {
		file := o.file
		if file.Name() != u.File {
			file = signer.File(u.File)
		}
		if data, err = file.Read(); err != nil {
			return nil, err
		}
	}
	return loadTPM(ctx, nameOf(u), u, data, o)
}

// errNoKey says that a URI names a TPM and no key in it.
var errNoKey = errors.New("URI of a TPM key: names no key: file=PATH or handle=0x81…")

// nameOf is the URI without where its secrets are.
func nameOf(u tpm.URI) string {
	return tpm.URI{Device: u.Device, File: u.File, Handle: u.Handle}.String()
}

// loadTPM opens the key in data, or under the handle of u.
func loadTPM(ctx context.Context, name string, u tpm.URI, data []byte, o Options) (*Key, error) {
	config := tpm.Config{
		Device: u.Device, File: data, Handle: u.Handle, Timeout: o.Timeout, Brief: o.Brief,
		KeyAuth:    o.afterLook(o.keyAuth(name, u)),
		ParentAuth: o.afterLook(o.AuthFrom(u.ParentAuth, "auth value of the parent of "+name)),
		OwnerAuth:  o.afterLook(o.AuthFrom(u.OwnerAuth, "auth value of the hierarchy of "+name)),
	}
	if config.Device == "" {
		config.Device = o.Device
	}
	key, err := tpm.Open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Key{key: key, name: name, close: key.Close}, nil
}

// afterLook is how to get a secret once look is over; nil where there is none.
func (o Options) afterLook(secret func() ([]byte, error)) func() ([]byte, error) {
	if secret == nil {
		return nil
	}
	return func() ([]byte, error) {
		if err := o.looked(); err != nil {
			return nil, err
		}
		return secret()
	}
}

// keyAuth is how the auth value of the key is got; nil: it has none. Package tpm asks for that of
// a file only if the file says that there is one; a handle says nothing.
func (o Options) keyAuth(name string, u tpm.URI) func() ([]byte, error) {
	switch {
	case u.KeyAuth != "":
		return o.AuthFrom(u.KeyAuth, "auth value of "+name)
	case o.Auth != nil:
		return o.Auth
	case u.Handle != 0 || o.Ask == nil:
		return nil
	}
	return func() ([]byte, error) {
		auth, err := o.Ask("auth value of " + name)
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", tpm.ErrAuthRequired, err)
		}
		return auth, nil
	}
}

// AuthFrom is how the auth value is got that a source of a tpm: URI names; nil where ref is empty.
// what says in words what it is.
func (o Options) AuthFrom(ref, what string) func() ([]byte, error) {
	switch {
	case ref == "":
		return nil
	case o.Source == nil:
		return func() ([]byte, error) { return nil, errors.New("sources of auth values are not read here") }
	}
	return func() ([]byte, error) { return o.Source(ref, what) }
}
