package keys

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"

	"kedge/pkcs11"
)

// openToken opens the one key that a pkcs11: URI names.
func openToken(ctx context.Context, uri string, o Options) (*Key, error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	mod, err := pkcs11.Load(ctx, u, o.TokenOptions())
	if err != nil {
		return nil, err
	}
	if o.precheck == nil {
		o.precheck = func() (crypto.PublicKey, error) { return o.Public, nil }
	}
	key, err := findOnToken(ctx, mod, u, o.precheck)
	if err != nil {
		mod.Close()
		return nil, err
	}
	return key, nil
}

// findOnToken finds the key in a loaded module, which is closed with it. precheck returns the public
// key, for a token that does not have it.
func findOnToken(ctx context.Context, mod *pkcs11.Module, u pkcs11.URI, precheck func() (crypto.PublicKey, error)) (*Key, error) {
	key, err := mod.Key(ctx, u, nil)
	if errors.Is(err, pkcs11.ErrNoPublicKey) {
		public, precheckErr := precheck()
		if precheckErr != nil {
			return nil, precheckErr
		}
		if public != nil {
			key, err = mod.Key(ctx, u, public)
		}
	}
	if err != nil {
		return nil, err
	}
	return &Key{key: key, name: key.URI().String(), token: key, mod: mod, close: mod.Close}, nil
}

// TokenOptions are the options of a module.
func (o Options) TokenOptions() pkcs11.Options {
	return pkcs11.Options{
		Helper: o.Helper, Module: o.Library, PIN: o.pin, ReusePIN: o.ReusePIN, Brief: o.Brief, SpareLast: o.SpareLast,
		Timeout: o.Timeout, Environment: o.Environment,
	}
}

// pin returns a PIN to package pkcs11, which clears it after use.
func (o Options) pin(info pkcs11.PINInfo) ([]byte, error) {
	if err := o.runPrecheck(); err != nil {
		return nil, err
	}
	switch {
	case o.PIN != nil:
		pin, err := o.PIN()
		return bytes.Clone(pin), err
	case o.Ask == nil:
		return nil, pkcs11.ErrPINRequired
	}
	pin, err := o.Ask(question(info))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", pkcs11.ErrPINRequired, err)
	}
	return pin, nil
}

// runPrecheck calls precheck, if there is one.
func (o Options) runPrecheck() error {
	if o.precheck == nil {
		return nil
	}
	_, err := o.precheck()
	return err
}

// question returns a prompt that says what a PIN is for, and warns if few attempts are left.
func question(info pkcs11.PINInfo) string {
	what := fmt.Sprintf("PIN of token %q", info.Token)
	if info.Key != "" {
		what = fmt.Sprintf("PIN of token %q for one use of %s", info.Token, info.Key)
	}
	if info.Retries != pkcs11.RetriesUnknown {
		what += fmt.Sprintf(" (%s)", info.Retries)
	}
	return what
}
