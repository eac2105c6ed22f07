package cadir

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"

	"kedge/internal/awskms"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/safefile"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/tpm"
)

// Keys opens the keys of a CA's authorities. It is for one goroutine; the keys can be shared.
type Keys struct {
	Folder   Folder
	Password string          // reference to the password, PIN or auth value; empty to ask Host
	Hardware config.KeyFlags // what of it is for keys in hardware
	Host     config.Host
	Once     Passwords      // not nil where several keys are opened
	KMS      *awskms.Client // nil: keys in AWS KMS are not opened
}

// Passwords remembers passwords that can be read only once, by their references, so that they open
// several keys. Several Keys can share one.
type Passwords map[string]keyfile.PasswordFunc

// Key is the key of an authority, wherever it is. It must be closed.
type Key struct {
	*keys.Key
	Warnings []string // what endangers it
	Plain    bool     // it lies in a file, and in the clear
}

// UnusableError reports that a CA, or one of its authorities, cannot be used: what is wrong is its key or
// its certificate.
type UnusableError struct {
	Err    error
	Absent bool // the folder holds no CA
	NoKey  bool // the key is not here
}

func (e *UnusableError) Error() string { return e.Err.Error() }
func (e *UnusableError) Unwrap() error { return e.Err }

// Open opens NAME.key, or the key that NAME.key-uri names. public is what it must be, where that is
// known, since some tokens do not say; else nil. Where there is no key, the error is an *UnusableError
// with NoKey set.
func (k *Keys) Open(ctx context.Context, authority string, public crypto.PublicKey) (*Key, error) {
	path := k.Folder.KeyPath(authority)
	key, err := k.open(ctx, keyAt{reference: "file:" + path, public: public})
	if !isAbsent(err, path) {
		return key, err
	}
	uri, uriErr := k.Folder.KeyURI(authority)
	switch {
	case errors.Is(uriErr, fs.ErrNotExist):
		return nil, &UnusableError{Err: err, NoKey: true}
	case uriErr != nil:
		return nil, uriErr
	}
	return k.OpenURI(ctx, uri, public)
}

// OpenURI opens the key that a URI names, as CleanKeyURI returned it. Where the file that it names
// is not there, the error is an *UnusableError with NoKey set.
func (k *Keys) OpenURI(ctx context.Context, uri string, public crypto.PublicKey) (*Key, error) {
	key, err := k.open(ctx, keyAt{reference: uri, public: public})
	if isAbsent(err, keyFileOf(uri)) {
		err = &UnusableError{Err: err, NoKey: true}
	}
	return key, err
}

// isAbsent reports whether err is that the file at path is not there.
func isAbsent(err error, path string) bool {
	missing, ok := errors.AsType[*fs.PathError](err)
	return ok && missing.Path == path && errors.Is(err, fs.ErrNotExist)
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

// keyAt is a key that is to be opened.
type keyAt struct {
	reference string
	public    crypto.PublicKey // that it must have; nil: any
	data      []byte           // of the file that reference names, where that was read
}

// open opens a key. An empty password that does not open it is called that: a file whose content
// went missing looks like one with the wrong content.
func (k *Keys) open(ctx context.Context, at keyAt) (*Key, error) {
	if awskms.IsURI(at.reference) {
		return k.openInKMS(ctx, at.reference)
	}
	flags := k.Hardware
	flags.PrivateKey, flags.PasswordFrom = at.reference, k.Password
	c, err := config.NewKeys(flags)
	if err != nil {
		return nil, err
	}
	o := c.Options(k.Host)
	o.Public = at.public
	if ReadOnce(k.Password) {
		o.Password = k.remember(o.Password)
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
	key, err := at.open(ctx, c, k.Host, o)
	if empty && errors.Is(err, keyfile.ErrWrongPassword) {
		from, _ := config.ParseInput(k.Password) // NewKeys parsed it before
		return nil, fmt.Errorf("%s: the password%s is empty", cmp.Or(keyFileOf(at.reference), at.reference), in(from))
	}
	if err != nil {
		return nil, err
	}
	return &Key{Key: key, Warnings: c.Warnings(), Plain: !asked && !key.InHardware()}, nil
}

// openInKMS opens a key in AWS KMS, which needs no password: its credentials are those of the AWS SDKs.
func (k *Keys) openInKMS(ctx context.Context, uri string) (*Key, error) {
	u, err := awskms.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	if k.KMS == nil {
		return nil, fmt.Errorf("%s: keys in AWS KMS are not opened here", u)
	}
	key, err := k.KMS.Open(ctx, u)
	if err != nil {
		return nil, err
	}
	return &Key{Key: keys.Elsewhere(key, key.String()), Warnings: key.Warnings()}, nil
}

func (at keyAt) open(ctx context.Context, c *config.Keys, h config.Host, o keys.Options) (*keys.Key, error) {
	if keys.IsHardwareURI(at.reference) {
		return keys.Open(ctx, at.reference, o)
	}
	blob, _, err := c.PrivateKey(h)
	if err != nil {
		return nil, err
	}
	if blob.IsFile() {
		data := at.data
		if data == nil {
			if data, err = safefile.ReadRegular(blob.Name(), signer.MaxFile); err != nil {
				return nil, err
			}
		}
		blob = signer.Bytes(blob.Name(), data)
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
func (k *Keys) remember(password keyfile.PasswordFunc) keyfile.PasswordFunc {
	if k.Once == nil {
		return password
	}
	if k.Once[k.Password] == nil {
		k.Once[k.Password] = password
	}
	return k.Once[k.Password]
}
