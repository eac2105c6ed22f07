// Package hostkeys makes and opens the keys of enrolled hosts, wherever they are: it joins packages keys
// and enrollclient.
package hostkeys

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"kedge/internal/config"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/keys"
	"kedge/internal/role"
	"kedge/signer"
)

// Place specifies where the key of a host is to be.
type Place struct {
	URI  string // tpm:… or pkcs11:…; empty: in a file
	Type string // such as "P-256"
	// PasswordFrom is where the PIN of a token or the auth value of a key in a TPM is, Library which
	// module reaches the token.
	PasswordFrom, Library string
	// Device is the TPM where TPM_DEVICE names none; empty: that of the system.
	Device string

	existing bool // a key that is not there is an error, instead of made
}

// New checks a place and returns the keys there. The error is a *config.FlagError, or says what of the
// URI is wrong. Errors of the keys are *role.KeyError.
func New(p Place, host config.Host) (enrollclient.Keys, error) {
	k, err := p.keys()
	if err != nil {
		return k, err
	}
	if strings.ContainsRune(p.Library, filepath.Separator) { // else it is looked for where libraries are
		if k.Library, err = filepath.Abs(p.Library); err != nil {
			return k, err
		}
	}
	if k.PasswordFrom, err = lasting(p.PasswordFrom); err != nil {
		return k, &config.FlagError{Flag: "key-password-from", Err: err}
	}
	env := config.ProcessEnvironment()
	if device, _ := env.Lookup("TPM_DEVICE"); device != "" {
		p.Device = device
	} else if p.Device != "" {
		env = append(config.Environment{"TPM_DEVICE=" + p.Device}, env...)
	}
	if k.Place == enrollapi.InTPM {
		k.Device = p.Device
	}
	checked, err := config.NewKeys(config.KeyFlags{PrivateKey: k.URI, PasswordFrom: k.PasswordFrom, Library: k.Library, Environment: env})
	if err != nil {
		return k, err
	}
	secret, err := config.NewPassword("key-password-from", k.PasswordFrom)
	if err != nil {
		return k, err
	}
	o := opener{place: p, keys: k, options: checked.Options(host)}
	if p.PasswordFrom != "" && k.Place == enrollapi.InTPM {
		o.secret = func() ([]byte, error) { return secret.Read(host, "the new key") }
	}
	k.Create, k.Open = o.create, o.open
	return k, nil
}

// Of returns the keys of a record, for renewals.
func Of(r hostdir.Record, host config.Host) (enrollclient.Keys, error) {
	p := Place{URI: r.Key, Type: r.KeyType, PasswordFrom: r.PasswordFrom, Library: r.Library, Device: r.Device}
	if r.KeyPlace == enrollapi.InTPM && r.Key == "" {
		p.URI = keys.AnyTPM
	}
	p.existing = true
	return New(p, host)
}

// lasting returns a reference to a secret that the next renewal can read as well.
func lasting(ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	in, err := config.ParseInput(ref)
	if err != nil {
		return "", err
	}
	if _, ok := in.Variable(); ok {
		return ref, nil
	}
	if ref == "-" || ref == "prompt" || strings.HasPrefix(ref, "fd:") {
		return "", errors.New("renewals read the secret, too: name a file")
	}
	path, err := filepath.Abs(strings.TrimPrefix(ref, "file:"))
	return "file:" + path, err
}

// keys returns what is known of the keys without opening anything.
func (p Place) keys() (enrollclient.Keys, error) {
	k := enrollclient.Keys{Place: enrollapi.InFile, Type: strings.ToUpper(p.Type), PasswordFrom: p.PasswordFrom, Library: p.Library}
	switch {
	case keys.IsTokenURI(p.URI):
		k.Place, k.URI = enrollapi.InPKCS11, p.URI
		if pin, _ := keys.Secrets(p.URI); pin {
			return k, errors.New("a PIN in the URI would come to stand in a file; name one that holds it with --key-password-from")
		}
	case keys.IsHardwareURI(p.URI):
		k.Place = enrollapi.InTPM
		persistent, err := keys.IsPersistent(p.URI)
		if err != nil {
			return k, err
		}
		if persistent {
			k.URI = p.URI
		}
	case p.URI != "":
		return k, fmt.Errorf("%q begins with neither \"tpm:\" nor \"pkcs11:\"", p.URI)
	case p.PasswordFrom != "":
		return k, errors.New("the file of a key is not encrypted: a renewal could not read it without a password beside it")
	}
	if k.URI == "" || k.Place == enrollapi.InPKCS11 {
		return k, checkType(p.URI, k.Type)
	}
	return k, nil
}

func checkType(uri, kind string) error {
	types := keys.Types(uri)
	if slices.Contains(types, kind) {
		return nil
	}
	return fmt.Errorf("key type %q is none of %s", kind, strings.Join(types, ", "))
}

// opener makes and opens the keys of a place.
type opener struct {
	place   Place
	keys    enrollclient.Keys
	options keys.Options
	secret  func() ([]byte, error)
}

// create makes a key in the file at path.
func (o opener) create(ctx context.Context, path string) error {
	uri := ""
	if o.keys.Place == enrollapi.InTPM {
		uri = keys.AnyTPM
	}
	_, err := keys.Create(ctx, uri, keys.CreateOptions{Options: o.options, Type: o.keys.Type, Out: path, Secret: o.secret})
	return keyError(err, true)
}

// open opens a key. One that is not on its token yet is made there.
func (o opener) open(ctx context.Context, name string) (enrollclient.Key, error) {
	key, err := keys.Open(ctx, name, o.options)
	if keys.IsMissing(err) && !o.place.existing {
		if _, err := keys.Create(ctx, name, keys.CreateOptions{Options: o.options, Type: o.keys.Type}); err != nil {
			return nil, keyError(err, true)
		}
		key, err = keys.Open(ctx, name, o.options)
	}
	if err != nil {
		return nil, keyError(err, false)
	}
	return key, nil
}

func keyError(err error, isNew bool) error {
	if err == nil {
		return nil
	}
	return &role.KeyError{Err: err, New: isNew}
}

// Named returns an error of package enrollclient as a *role.KeyError if it is that of a key, which only
// showed when it signed.
func Named(err error) error {
	mismatch, sign, possession := new(*signer.KeyMismatchError), new(*signer.SignError), new(*signer.PossessionError)
	if errors.As(err, new(*role.KeyError)) || !errors.As(err, mismatch) && !errors.As(err, sign) && !errors.As(err, possession) {
		return err
	}
	return &role.KeyError{Err: err}
}
