package advice

import (
	"kedge/pkcs11"
	"kedge/signer/keyfile"
	"kedge/tpm"
)

// IsSecret reports whether an error is about a password, a PIN or an auth value.
func IsSecret(err error) bool {
	return is[*pkcs11.PINError](err) || is[*tpm.AuthError](err) ||
		Any("", pkcs11.ErrPINRequired, tpm.ErrAuthRequired, keyfile.ErrPasswordRequired, keyfile.ErrWrongPassword).Fits(err)
}

// IsHardware reports whether an error is about reaching a key in hardware.
func IsHardware(err error) bool { return !IsSecret(err) && Hardware(Program{}).Fits(err) }
