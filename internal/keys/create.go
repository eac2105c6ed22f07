package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kedge/internal/atomicfile"
	"kedge/pkcs11"
	"kedge/tpm"
)

// ErrSecretEmpty is returned if the auth value for a new key was asked for and is empty.
var ErrSecretEmpty = errors.New("the auth value for the new key is empty")

// generateTimeout bounds the generation of a key on a token: a smart card needs minutes for
// RSA-4096.
const generateTimeout = 10 * time.Minute

// CreateOptions say which key to create. Those of the Options are used that locate and unlock the
// TPM or the token.
type CreateOptions struct {
	Options
	// Type is one of Types.
	Type string
	// Out is the path of the file to write, which must not exist: the key itself, or a TSS2 key
	// file that only this TPM can use. Empty: the file of the URI, or none.
	Out string
	// Secret returns the secret that protects the new key: the password of a file, or the auth
	// value of a TPM key whose URI has no auth-source. nil: none.
	Secret func() ([]byte, error)
	// Parent is the persistent handle of the parent of a TPM key; 0: the owner hierarchy.
	Parent uint32
}

// Types returns the kinds of keys that Create can create for uri.
func Types(uri string) []string {
	switch {
	case tpm.IsURI(uri):
		return tpm.KeyTypes()
	case IsTokenURI(uri):
		return []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"}
	}
	return fileTypes()
}

// Check returns why such a key cannot be created for uri, as far as that shows without trying.
func (o CreateOptions) Check(uri string) error {
	out := o.Out
	switch {
	case tpm.IsURI(uri):
		u, err := tpm.ParseURI(uri)
		switch {
		case err != nil:
			return err
		case out != "" && u.File != "":
			return errors.New("the file of the new key is named twice")
		case out == "" && u.File == "" && u.Handle == 0:
			return errors.New("a key in a TPM needs a file, or a handle in the URI")
		}
	case IsTokenURI(uri):
		if _, err := pkcs11.ParseURI(uri); err != nil {
			return err
		}
		if out != "" {
			return errors.New("a key on a token has no file")
		}
	case uri != "":
		return fmt.Errorf("%q begins with neither \"tpm:\" nor \"pkcs11:\"", uri)
	case out == "":
		return errors.New("a key needs a file")
	}
	if types := Types(uri); !slices.Contains(types, o.Type) {
		return fmt.Errorf("key type %q is none of %s", o.Type, strings.Join(types, ", "))
	}
	return nil
}

// Create makes a private key at the place that uri names, and returns what Open opens it by:
//
//	""        in the file Out
//	tpm:…     in a TPM, in the key file Out or that of the URI, or under the handle of the URI,
//	          or in Out and under the handle
//	pkcs11:…  on the token; the URI has the label, and may have the id
//
// In hardware, the key can never leave it. Nothing is overwritten, and after an error there is no
// new file. Errors are those of Check and Open, *UnwrittenError, and what says why the hardware
// makes no such key.
func Create(ctx context.Context, uri string, o CreateOptions) (string, error) {
	if err := o.Check(uri); err != nil {
		return "", err
	}
	switch {
	case tpm.IsURI(uri):
		return createInTPM(ctx, uri, o)
	case IsTokenURI(uri):
		return createOnToken(ctx, uri, o)
	}
	return createFile(o)
}

// vacant checks that a file name is free, before a key is created that could not be written. The
// error is an *UnwrittenError.
func vacant(path string) error {
	if path == "" {
		return nil
	}
	if err := isFree(path); err != nil {
		return &UnwrittenError{Err: err}
	}
	return nil
}

func isFree(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			at.Op, at.Path = "create", path
		}
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// UnwrittenError reports that the file of a new key was not written.
type UnwrittenError struct {
	PrivateKey string // opens the key, if it was created in hardware nevertheless; else empty
	Err        error
}

// Error reports where the key is, if it exists.
func (e *UnwrittenError) Error() string {
	if e.PrivateKey == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("the key is made, %s, but its file is not written: %v", e.PrivateKey, e.Err)
}

// Unwrap returns why the file could not be written.
func (e *UnwrittenError) Unwrap() error { return e.Err }

func createInTPM(ctx context.Context, uri string, o CreateOptions) (string, error) {
	u, err := tpm.ParseURI(uri)
	if err != nil {
		return "", err
	}
	if u.Device == "" {
		u.Device = o.Device
	}
	if u.File != "" {
		o.Out = u.File
	}
	if err := vacant(o.Out); err != nil {
		return "", err
	}
	file, err := tpm.Create(ctx, tpm.CreateOptions{
		Device: u.Device, Type: o.Type, Parent: o.Parent, Persist: u.Handle,
		KeyAuth:    o.newAuth(u),
		ParentAuth: o.AuthFrom(u.ParentAuth, "auth value of the parent"),
		OwnerAuth:  o.AuthFrom(u.OwnerAuth, "auth value of the owner hierarchy"),
	})
	if err != nil {
		return "", err
	}
	if u.Handle != 0 {
		u.ParentAuth, u.OwnerAuth = "", "" // they were for creating it
	} else {
		u.File = o.Out
	}
	if o.Out == "" {
		return u.String(), nil
	}
	if err := atomicfile.Create(o.Out, file, 0o600); err != nil {
		unwritten := &UnwrittenError{Err: err}
		if u.Handle != 0 {
			unwritten.PrivateKey = u.String()
		}
		return "", unwritten
	}
	if u == (tpm.URI{File: o.Out}) {
		return o.Out, nil
	}
	return u.String(), nil
}

// newAuth returns the function that gets the auth value for a new key, or nil if it has none.
func (o CreateOptions) newAuth(u tpm.URI) func() ([]byte, error) {
	get := o.Secret
	if u.KeyAuth != "" {
		get = o.AuthFrom(u.KeyAuth, "auth value of the new key")
	}
	if get == nil {
		return nil
	}
	return func() ([]byte, error) {
		auth, err := get()
		if err == nil && len(auth) == 0 {
			err = ErrSecretEmpty
		}
		return auth, err
	}
}

func createOnToken(ctx context.Context, uri string, o CreateOptions) (string, error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return "", err
	}
	o.Timeout = generateTimeout
	mod, err := pkcs11.Load(ctx, u, o.TokenOptions())
	if err != nil {
		return "", err
	}
	defer mod.Close()
	key, err := mod.Generate(ctx, u, o.Type)
	if err != nil {
		return "", err
	}
	return o.withModule(key.URI(), mod.Path()), nil
}

// withModule adds the module to a URI if only the options name it.
func (o Options) withModule(u pkcs11.URI, path string) string {
	text := u.String()
	if o.Library == "" || strings.Contains(text, "module-path=") || strings.Contains(text, "module-name=") {
		return text
	}
	separator := "?"
	if strings.Contains(text, "?") {
		separator = "&"
	}
	full, err := pkcs11.ParseURI(text + separator + "module-path=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20"))
	if err != nil {
		return text
	}
	return full.String()
}
