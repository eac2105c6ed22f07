package caadvice

import (
	"cmp"
	"errors"

	"kedge/pkcs11"
	"kedge/tpm"
)

// Hardware is about keys on tokens and in TPMs, when they are opened or sign.
func Hardware(err error) string {
	if errors.Is(err, pkcs11.ErrPINRequired) || errors.Is(err, tpm.ErrAuthRequired) {
		return "give it with --key-password-from PATH, env:NAME or fd:N, or with pin-source or auth-source in the URI"
	}
	return cmp.Or(onToken(err), inTPM(err))
}

func onToken(err error) string {
	if refused, ok := errors.AsType[*pkcs11.PINError](err); ok {
		if refused.Retries == pkcs11.RetriesNone {
			return "set the PIN anew with the SO PIN or PUK, by the tool of the token: pkcs11-tool --login --login-type so --init-pin"
		}
		return "it was tried once; make sure of the PIN and of where it comes from before the next try"
	}
	switch {
	case is[*pkcs11.MissingHelperError](err):
		return `install kedge-pkcs11 of the same release beside kedge-ca or in ../libexec/kedge from there ("make pkcs11" builds it), or set KEDGE_PKCS11_HELPER to its path`
	case is[*pkcs11.NoModuleError](err):
		return "name the module that came with the token with module-path in the URI, or install p11-kit, which knows those of the system"
	case is[*pkcs11.HelperError](err):
		return "run the same again; if it fails again, look whether the token is there, and for a newer module"
	case is[*pkcs11.NotFoundError](err):
		return "is the token there, and does the URI say its module (module-path)? pkcs11-tool --list-objects shows what a token has"
	case is[*pkcs11.AmbiguousError](err):
		return "name the one that is meant by its own URI"
	case errors.Is(err, pkcs11.ErrNoPublicKey):
		return "put the public key or the certificate onto the token"
	case errors.Is(err, pkcs11.ErrCannotSign):
		return "name another key of the token, or make one that may sign: kedge key create"
	}
	return ""
}

func inTPM(err error) string {
	if refused, ok := errors.AsType[*tpm.AuthError](err); ok {
		if refused.Locked {
			return "wait, or end the lockout with its own auth value: tpm2_dictionarylockout --clear-lockout"
		}
		return "it was tried once; make sure of the auth value and of where it comes from before the next try"
	}
	switch {
	case errors.Is(err, tpm.ErrNoDevice):
		return "say where the TPM is with device= in the URI, such as tpm:device=/dev/tpmrm0, and let this user use it (group tss)"
	case errors.Is(err, tpm.ErrForeignKey), errors.Is(err, tpm.ErrNoHandle):
		return "run it on the machine whose TPM has the key; one that is lost with its TPM must be rotated away from: kedge-ca rotate start"
	case errors.Is(err, tpm.ErrBusy):
		return "use the TPM through its resource manager: device=/dev/tpmrm0"
	}
	return ""
}
