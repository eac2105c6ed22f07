package keys

import (
	"context"
	"errors"
	"fmt"

	"kedge/signer"
	"kedge/tpm"
)

// openTPM opens the key of a tpm: or handle: URI.
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

// errNoKey is returned if a tpm: URI names no key.
var errNoKey = errors.New("URI of a TPM key: names no key: file=PATH or handle=0x81…")

// nameOf returns the URI without the references to its secrets.
func nameOf(u tpm.URI) string {
	return tpm.URI{Device: u.Device, File: u.File, Handle: u.Handle}.String()
}

// loadTPM opens the key in data, or under the handle of u.
func loadTPM(ctx context.Context, name string, u tpm.URI, data []byte, o Options) (*Key, error) {
	config := tpm.Config{
		Device: u.Device, File: data, Handle: u.Handle, Timeout: o.Timeout, Brief: o.Brief, SpareLast: o.SpareLast,
		KeyAuth:    o.afterPrecheck(o.keyAuth(name, u)),
		ParentAuth: o.afterPrecheck(o.AuthFrom(u.ParentAuth, "auth value of the parent of "+name)),
		OwnerAuth:  o.afterPrecheck(o.AuthFrom(u.OwnerAuth, "auth value of the hierarchy of "+name)),
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

// afterPrecheck wraps secret to call precheck first; nil if there is no secret.
func (o Options) afterPrecheck(secret func() ([]byte, error)) func() ([]byte, error) {
	if secret == nil {
		return nil
	}
	return func() ([]byte, error) {
		if err := o.runPrecheck(); err != nil {
			return nil, err
		}
		return secret()
	}
}

// keyAuth returns the function that gets the key's auth value, or nil if it has none. Package tpm
// calls it for a file only if it is in the file that the key has one; a handle does not tell.
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

// AuthFrom returns the function that gets the auth value from the reference of a tpm: URI; nil if
// ref is empty. what describes the value.
func (o Options) AuthFrom(ref, what string) func() ([]byte, error) {
	switch {
	case ref == "":
		return nil
	case o.Source == nil:
		return func() ([]byte, error) { return nil, errors.New("sources of auth values are not read here") }
	}
	return func() ([]byte, error) { return o.Source(ref, what) }
}
