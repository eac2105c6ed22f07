package cadir

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"kedge/internal/awskms"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/tpm"
)

// CleanKeyURI checks what names a key that stays where it is, and returns it as it is kept: so
// that it means the same from every folder, and without a secret. The texts of errors say what is
// wrong with it, without naming it.
func CleanKeyURI(uri string) (string, error) {
	if keys.IsTokenURI(uri) {
		return uri, checkTokenURI(uri)
	}
	if tpm.IsURI(uri) {
		return cleanTPM(uri)
	}
	if awskms.IsURI(uri) {
		return cleanKMS(uri)
	}
	return cleanReference(uri)
}

func checkTokenURI(uri string) error {
	if pin, _ := keys.Secrets(uri); pin {
		return errors.New("a PIN cannot stand in it, where others read it; pin-source or --key-password-from says where it is")
	}
	return keys.CheckURI(uri)
}

func cleanTPM(uri string) (string, error) {
	u, err := tpm.ParseURI(uri)
	if err != nil {
		return "", err
	}
	if u.File == "" && u.Handle == 0 {
		return "", errors.New("URI of a TPM key: it names no key; give file= or handle=")
	}
	if u.File != "" {
		u.File, err = filepath.Abs(u.File)
	}
	for _, source := range []*string{&u.KeyAuth, &u.ParentAuth, &u.OwnerAuth} {
		if *source == "" || *source == "prompt" || err != nil {
			continue
		}
		*source, err = cleanReference(*source)
	}
	return u.String(), err
}

func cleanKMS(uri string) (string, error) {
	u, err := awskms.ParseURI(uri)
	if err == nil && u.KeyID == "" {
		err = errors.New("URI of a KMS key: it names one that is to be made; make it first, with kedge-ca key create")
	}
	return u.String(), err
}

// cleanReference takes a file or a variable: what can be read only once is no place to stay in.
func cleanReference(reference string) (string, error) {
	in, err := config.ParseInput(reference)
	if err != nil || in.IsZero() {
		return "", cmp.Or(err, errors.New("it names no key"))
	}
	if ReadOnce(reference) {
		return "", fmt.Errorf("%s is read once; a key of a CA must stay where it is", in.Name())
	}
	path, ok := in.Path()
	if !ok {
		return in.String(), nil
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	if in, err = config.ParseInput("file:" + path); err != nil {
		return "", err
	}
	return in.String(), nil
}

// ReadOnce reports whether a reference is to what can be read only once: standard input, or a
// descriptor.
func ReadOnce(reference string) bool {
	return reference == "-" || strings.HasPrefix(reference, "fd:")
}
