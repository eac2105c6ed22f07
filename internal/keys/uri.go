package keys

import (
	"strings"

	"kedge/pkcs11"
	"kedge/tpm"
)

// IsHardwareURI reports whether uri names a key or a certificate in hardware, and is not a path.
func IsHardwareURI(uri string) bool { return tpm.IsURI(uri) || IsTokenURI(uri) }

// IsTokenURI reports whether s is meant as a URI of an object on a token, RFC 7512.
func IsTokenURI(s string) bool {
	const scheme = "pkcs11:"
	return len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// CheckURI checks the syntax of a URI of a key in hardware, without looking for the key.
func CheckURI(uri string) error {
	if IsTokenURI(uri) {
		_, err := pkcs11.ParseURI(uri)
		return err
	}
	u, err := tpm.ParseURI(uri)
	if err == nil && u.File == "" && u.Handle == 0 {
		return errNoKey
	}
	return err
}

// WithoutSecrets returns a URI as messages show it: without a PIN, and without references to
// secrets.
func WithoutSecrets(uri string) string {
	if u, err := tpm.ParseURI(uri); err == nil {
		return nameOf(u)
	}
	if u, err := pkcs11.ParseURI(uri); err == nil {
		return u.String()
	}
	scheme, _, _ := strings.Cut(uri, ":")
	return scheme + ": URI"
}

// Secrets reports whether the URI has a PIN in it, and returns the files and other references that
// it names for secrets.
func Secrets(uri string) (pin bool, refs []string) {
	if u, err := pkcs11.ParseURI(uri); err == nil {
		if path, err := u.PINFile(); err == nil && path != "" {
			refs = []string{"file:" + path}
		}
		return u.WithPIN() != u.String(), refs
	}
	u, err := tpm.ParseURI(uri)
	if err != nil {
		return false, nil
	}
	for _, ref := range []string{u.KeyAuth, u.ParentAuth, u.OwnerAuth} {
		if ref != "" {
			refs = append(refs, ref)
		}
	}
	return false, refs
}
