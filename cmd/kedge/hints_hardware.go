package main

import (
	"context"
	"errors"
	"io/fs"
	"runtime"

	"kedge/pkcs11"
	"kedge/tpm"
)

const giveSecret = "set --key-password-from to PATH, fd:N, env:NAME or -"

// hardwareHint is the advice for a key in a TPM or on a token, or empty.
func hardwareHint(err error) string {
	if hint := tokenHint(err); hint != "" {
		return hint
	}
	if hint := tpmHint(err, runtime.GOOS); hint != "" {
		return hint
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "if the hardware is slow or busy, or somebody types, raise --timeout"
	}
	return ""
}

func tokenHint(err error) string {
	if _, ok := errors.AsType[*pkcs11.MissingHelperError](err); ok {
		return `install kedge-pkcs11 of the same release beside kedge or in ../libexec/kedge from there ("make pkcs11" builds it), or set KEDGE_PKCS11_HELPER to its path`
	}
	if _, ok := errors.AsType[*pkcs11.NoModuleError](err); ok {
		return "name the module that came with the token, --pkcs11-lib PATH, or install p11-kit, which knows those of the system"
	}
	if helper, ok := errors.AsType[*pkcs11.HelperError](err); ok {
		return `the module failed, and is started anew by the next call; if it fails again, see whether "pkcs11-tool --module ` + helper.Module + ` -O" works`
	}
	if refused, ok := errors.AsType[*pkcs11.PINError](err); ok {
		return pinHint(refused.Retries)
	}
	if ambiguous, ok := errors.AsType[*pkcs11.AmbiguousError](err); ok {
		return "copy one of these " + ambiguous.What + "s in single quotes, with ? and what followed it"
	}
	if missing, ok := errors.AsType[*pkcs11.NotFoundError](err); ok {
		return missingHint(missing)
	}
	switch {
	case errors.Is(err, pkcs11.ErrPINRequired):
		return giveSecret + ", or put ?pin-source=file:PATH behind the URI"
	case errors.Is(err, pkcs11.ErrNoPublicKey):
		return "give the certificate's file with --certificate, or put the certificate or the public key onto the token"
	case errors.Is(err, pkcs11.ErrCannotSign):
		return "name another key of the token, or make one that may sign: kedge key create"
	}
	return ""
}

func pinHint(left pkcs11.Retries) string {
	switch left {
	case pkcs11.RetriesNone:
		return "set the PIN anew with the SO PIN or PUK, by the tool of the token: pkcs11-tool --login --login-type so --init-pin"
	case pkcs11.RetriesOne:
		return "correct the PIN before anything runs this again: the next wrong one locks the token"
	}
	return "correct the PIN before anything runs this again: it was tried once, and each run is another try"
}

func missingHint(missing *pkcs11.NotFoundError) string {
	switch {
	case missing.What == "certificate":
		return "put the certificate onto the token, or give its file with --certificate"
	case len(missing.There) > 0:
		return "copy one of these in single quotes, with ? and what followed it"
	case missing.What == "token":
		return "plug the token in, and check that the module knows it: pkcs11-tool --module PATH -T; another module is named with --pkcs11-lib PATH"
	}
	return `see what is on the token: pkcs11-tool --login -O; "kedge key create" makes a key there`
}

// tpmHint is the advice for a key in a TPM on this system.
func tpmHint(err error, system string) string {
	if refused, ok := errors.AsType[*tpm.AuthError](err); ok {
		return authHint(refused)
	}
	if _, ok := errors.AsType[*tpm.UnfitError](err); ok {
		return "make a key that may sign anything: kedge key create --tpm"
	}
	switch {
	case errors.Is(err, tpm.ErrNoDevice):
		return deviceHint(err, system)
	case errors.Is(err, tpm.ErrAuthRequired):
		return giveSecret + ", or auth-source in a tpm: URI"
	case errors.Is(err, tpm.ErrForeignKey):
		return `use the TPM that made the key, or make a new key in this one ("kedge key create --tpm") and have a certificate issued for it`
	case errors.Is(err, tpm.ErrBusy):
		return "use the device with a resource manager, /dev/tpmrm0; else end what holds the slots: tpm2_flushcontext -t"
	case errors.Is(err, tpm.ErrNoHandle):
		return "see which handles the TPM has: tpm2_getcap handles-persistent"
	}
	return ""
}

func authHint(e *tpm.AuthError) string {
	switch {
	case e.Locked, e.Counted && e.Max > 0 && e.Tries >= e.Max:
		return "wait until the TPM forgets, or reset its counter with the lockout auth value: tpm2_dictionarylockout --clear-lockout"
	case e.Of == "parent":
		return "correct parent-auth-source in the tpm: URI: it says where the auth value of the key's parent is"
	case e.Of == "owner":
		return "correct owner-auth-source in the tpm: URI: it says where the auth value of the owner hierarchy is"
	}
	return "correct the auth value before anything runs this again: --key-password-from, or auth-source in a tpm: URI; the TPM counts wrong ones"
}

// deviceHint says what a system lacks.
func deviceHint(err error, system string) string {
	const elsewhere = "; another TPM is named by TPM_DEVICE, or device= in a tpm: URI"
	_, isFile := errors.AsType[*fs.PathError](err)
	switch {
	case system == "darwin":
		return "macOS has no TPM (the Secure Enclave is none): use a key on a token or in a file" + elsewhere
	case system == "windows":
		return "see in tpm.msc whether the TPM is there and ready" + elsewhere
	case isFile:
		return "see whether the system has a TPM: ls /dev/tpm*; a virtual machine has to be given one" + elsewhere
	}
	return "see whether it runs and listens there" + elsewhere
}
