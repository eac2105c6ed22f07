package main

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"

	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/signer"
	"kedge/tpm"
)

// openKey is the key of an authority, wherever it is.
type openKey struct {
	*keys.Key
	warnings []string // what endangers it
	plain    bool     // it lies in a file, and in the clear
}

// readKey opens NAME.key, or the key that NAME.key-uri names. public is what it must be, where
// that is known: some tokens do not tell. Where there is no key, the error is a *caError.
func (f *storeFlags) readKey(ctx context.Context, h host, name string, public crypto.PublicKey) (*openKey, error) {
	key, err := f.openAt(ctx, h, "file:"+f.keyPath(name), public)
	if !isAbsent(err, f.keyPath(name)) {
		return key, err
	}
	uri, uriErr := f.folder().KeyURI(name)
	switch {
	case errors.Is(uriErr, fs.ErrNotExist):
		return nil, &caError{error: err, noKey: true}
	case uriErr != nil:
		return nil, uriErr
	}
	return f.openURI(ctx, h, uri, public)
}

// openURI opens the key that a URI names, as cleanKeyURI returned it.
func (f *storeFlags) openURI(ctx context.Context, h host, uri string, public crypto.PublicKey) (*openKey, error) {
	key, err := f.openAt(ctx, h, uri, public)
	if isAbsent(err, keyFileOf(uri)) {
		err = &caError{error: err, noKey: true}
	}
	return key, err
}

// keyFileOf is the path of the file that a URI names; empty where it names none.
func keyFileOf(uri string) string {
	if u, err := tpm.ParseURI(uri); err == nil {
		return u.File
	}
	in, err := config.ParseInput(uri)
	path, ok := in.Path()
	if err != nil || !ok {
		return ""
	}
	return path
}

// openAt opens the key at a reference. An empty password that does not open it is called that: a
// file whose content went missing looks like one with the wrong content.
func (f *storeFlags) openAt(ctx context.Context, h host, reference string, public crypto.PublicKey) (*openKey, error) {
	flags := f.hardware
	flags.PrivateKey, flags.PasswordFrom = reference, f.password
	k, err := config.NewKeys(flags)
	if err != nil {
		return nil, err
	}
	o := k.Options(h.inputs)
	o.Public = public
	if readOnce(f.password) {
		o.Password = f.remember(o.Password)
		o.PIN = o.Password
		if flags.TPMPassword == "" && !flags.NoTPMPassword {
			o.Auth = o.Password
		}
	}
	asked, empty, password := false, false, o.Password
	o.Password = func() ([]byte, error) {
		given, err := password()
		asked, empty = true, err == nil && len(given) == 0
		return given, err
	}
	key, err := open(ctx, h, k, reference, o)
	if empty && errors.Is(err, signer.ErrWrongPassword) {
		from, _ := config.ParseInput(f.password) // NewKeys parsed it before
		return nil, fmt.Errorf("%s: the password%s is empty", cmp.Or(keyFileOf(reference), reference), in(from))
	}
	if err != nil {
		return nil, err
	}
	return &openKey{Key: key, warnings: k.Warnings(), plain: !asked && !key.InHardware()}, nil
}

func open(ctx context.Context, h host, k *config.Keys, reference string, o keys.Options) (*keys.Key, error) {
	if keys.IsHardwareURI(reference) {
		return keys.Open(ctx, reference, o)
	}
	blob, _, err := k.PrivateKey(h.inputs)
	if err != nil {
		return nil, err
	}
	return keys.OpenBlob(ctx, blob, o)
}

func in(from config.Input) string {
	if from.IsZero() {
		return ""
	}
	return " in " + from.Name()
}

// remember makes a password that can be read only once one for several keys.
func (f *storeFlags) remember(password signer.PasswordFunc) signer.PasswordFunc {
	if f.once == nil {
		f.once = map[string]signer.PasswordFunc{}
	}
	if f.once[f.password] == nil {
		f.once[f.password] = password
	}
	return f.once[f.password]
}
