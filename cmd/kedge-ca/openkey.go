package main

import (
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
	key, err := f.openFile(ctx, h, "file:"+f.keyPath(name), public)
	if !isAbsent(err, f.keyPath(name)) {
		return key, err
	}
	uri, uriErr := f.keyURI(name)
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
	open := f.openFile
	if keys.IsHardwareURI(uri) {
		open = f.openHardware
	}
	key, err := open(ctx, h, uri, public)
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

// openHardware opens a key on a token or in a TPM.
func (f *storeFlags) openHardware(ctx context.Context, h host, uri string, public crypto.PublicKey) (*openKey, error) {
	k, err := config.NewKeys(config.KeyFlags{PasswordFrom: f.password})
	if err != nil {
		return nil, err
	}
	_, password, err := k.PrivateKey(h.inputs)
	if err != nil {
		return nil, err
	}
	o := f.keyOptions(h, public, password)
	o.Helper, o.Environment = config.PKCS11Helper(), config.ChildEnvironment(f.password)
	key, err := keys.Open(ctx, uri, o)
	if err != nil {
		return nil, err
	}
	return &openKey{Key: key, warnings: k.Warnings()}, nil
}

// openFile opens a key file, encrypted or not, or one of a TPM. An empty password that does not
// open it is called that: a file whose content went missing looks like one with the wrong content.
func (f *storeFlags) openFile(ctx context.Context, h host, reference string, public crypto.PublicKey) (*openKey, error) {
	k, err := config.NewKeys(config.KeyFlags{PrivateKey: reference, PasswordFrom: f.password})
	if err != nil {
		return nil, err
	}
	blob, password, err := k.PrivateKey(h.inputs)
	if err != nil {
		return nil, err
	}
	asked, empty := false, false
	o := f.keyOptions(h, public, password)
	o.Password = func() ([]byte, error) {
		given, err := f.remember(password)()
		asked, empty = true, err == nil && len(given) == 0
		return given, err
	}
	key, err := keys.OpenBlob(ctx, blob, o)
	if empty && errors.Is(err, signer.ErrWrongPassword) {
		from, _ := config.ParseInput(f.password) // NewKeys parsed it before
		return nil, fmt.Errorf("%s: the password%s is empty", blob.Name(), in(from))
	}
	if err != nil {
		return nil, err
	}
	return &openKey{Key: key, warnings: k.Warnings(), plain: !asked && !key.InHardware()}, nil
}

func in(from config.Input) string {
	if from.IsZero() {
		return ""
	}
	return " in " + from.Name()
}

// remember makes a password that can be read only once one for several keys.
func (f *storeFlags) remember(password signer.PasswordFunc) signer.PasswordFunc {
	if !readOnce(f.password) {
		return password
	}
	if f.once == nil {
		f.once = map[string]signer.PasswordFunc{}
	}
	if f.once[f.password] == nil {
		f.once[f.password] = password
	}
	return f.once[f.password]
}

// keyOptions says how a key in hardware is unlocked.
func (f *storeFlags) keyOptions(h host, public crypto.PublicKey, password signer.PasswordFunc) keys.Options {
	o := keys.Options{Public: public, Ask: h.inputs.Ask, Source: h.secret}
	if f.password != "" && f.password != "prompt" {
		o.Auth, o.PIN = f.remember(password), f.remember(password)
	}
	return o
}

// secret reads what a source in a tpm: URI names.
func (h host) secret(reference, what string) ([]byte, error) {
	if reference == "prompt" {
		return h.inputs.Ask(what)
	}
	from, err := config.ParseInput(reference)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	text, err := from.Text(h.inputs.Stdin)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return []byte(text), nil
}
