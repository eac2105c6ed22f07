package keys

import (
	"errors"

	"kedge/pkcs11"
	"kedge/tpm"
)

// IsMissing reports whether err means that a token is there, and the key is not on it.
func IsMissing(err error) bool {
	missing, ok := errors.AsType[*pkcs11.NotFoundError](err)
	return ok && missing.What != "token"
}

// AnyTPM is the URI of the system's TPM, without a key.
const AnyTPM = "tpm:"

// IsPersistent reports whether the URI of a TPM names a key by its handle. A URI that names a file, or
// says where to make one otherwise, is an error: that is for who keeps the file to say.
func IsPersistent(uri string) (bool, error) {
	u, err := tpm.ParseURI(uri)
	switch {
	case err != nil:
		return false, err
	case u.File != "":
		return false, errors.New("the file of the key is in the folder of the identity: leave it out of the URI")
	case u.Handle == 0 && uri != AnyTPM:
		return false, errors.New("only the URI of a key with a handle is kept for renewals: choose the device with TPM_DEVICE, and the auth value with --key-password-from")
	}
	return u.Handle != 0, nil
}
