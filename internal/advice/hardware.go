package advice

import (
	"errors"
	"io/fs"

	"kedge/pkcs11"
	"kedge/tpm"
)

// Program is what the advice about hardware needs to know of the program that gives it.
type Program struct {
	Name      string // of the command
	Public    string // what to do where a token has no public key
	Elsewhere string // what to do where the key is in another TPM
	System    string // as runtime.GOOS names it
}

// Hardware are the rows about keys on tokens and in TPMs, when they are opened or sign.
func Hardware(p Program) Table { return append(tokens(p), tpms(p)...) }

const giveSecret = "set --key-password-from to PATH, fd:N, env:NAME or -"

func tokens(p Program) Table {
	return Table{
		Kind[*pkcs11.MissingHelperError]("install kedge-pkcs11 of the same release beside " + p.Name + ` or in ../libexec/kedge from there ("make pkcs11" builds it), or set KEDGE_PKCS11_HELPER to its path`),
		Kind[*pkcs11.NoModuleError]("name the module that came with the token, --pkcs11-lib PATH, or install p11-kit, which finds those of the system"),
		About(func(e *pkcs11.HelperError) string {
			return `the module failed, and is started anew by the next call; if it fails again, see whether "pkcs11-tool --module ` + e.Module + ` -O" works`
		}),
		About(wrongPIN),
		About(func(e *pkcs11.AmbiguousError) string {
			return "copy one of these " + e.What + "s in single quotes, with ? and what followed it"
		}),
		About(notFound),
		Any(giveSecret+", or put ?pin-source=file:PATH behind the URI", pkcs11.ErrPINRequired),
		Any(p.Public, pkcs11.ErrNoPublicKey),
		Any("name another key of the token, or make one that may sign: kedge key create", pkcs11.ErrCannotSign),
	}
}

func wrongPIN(e *pkcs11.PINError) string {
	switch e.Retries {
	case pkcs11.RetriesNone:
		return "set the PIN anew with the SO PIN or PUK, by the tool of the token: pkcs11-tool --login --login-type so --init-pin"
	case pkcs11.RetriesOne:
		return "correct the PIN before anything runs this again: the next wrong one locks the token"
	}
	return "correct the PIN before anything runs this again: it was tried once, and each run is another try"
}

func notFound(e *pkcs11.NotFoundError) string {
	switch {
	case e.What == "certificate":
		return "put the certificate onto the token, or give its file with --certificate"
	case len(e.There) > 0:
		return "copy one of these in single quotes, with ? and what followed it"
	case e.What == "token":
		return "plug the token in, and check that the module finds it: pkcs11-tool --module PATH -T; another module is named with --pkcs11-lib PATH"
	}
	return `see what is on the token: pkcs11-tool --login -O; "kedge key create" makes a key there`
}

func tpms(p Program) Table {
	return Table{
		About(wrongAuth),
		Kind[*tpm.UnfitError]("make a key that may sign anything: kedge key create --tpm"),
		{Fits: func(err error) bool { return errors.Is(err, tpm.ErrNoDevice) }, Hint: func(err error) string { return noDevice(err, p.System) }},
		Any(giveSecret+", or auth-source in a tpm: URI", tpm.ErrAuthRequired),
		Any(p.Elsewhere, tpm.ErrForeignKey),
		Any("use the device with a resource manager, /dev/tpmrm0; else end what holds the slots: tpm2_flushcontext -t", tpm.ErrBusy),
		Any("see which handles the TPM has: tpm2_getcap handles-persistent", tpm.ErrNoHandle),
	}
}

func wrongAuth(e *tpm.AuthError) string {
	switch {
	case e.Untried:
		return "see that the auth value is right, then reset the counter with the lockout auth value: tpm2_dictionarylockout --clear-lockout"
	case e.Locked, e.Counted && e.Max > 0 && e.Tries >= e.Max:
		return "wait until the TPM forgets, or reset its counter with the lockout auth value: tpm2_dictionarylockout --clear-lockout"
	case e.Of == "parent":
		return "correct parent-auth-source in the tpm: URI: it says where the auth value of the key's parent is"
	case e.Of == "owner":
		return "correct owner-auth-source in the tpm: URI: it says where the auth value of the owner hierarchy is"
	}
	return "correct the auth value before anything runs this again: --key-password-from, or auth-source in a tpm: URI; the TPM counts wrong ones"
}

// noDevice returns the hint for a host on which no TPM was found.
func noDevice(err error, system string) string {
	const another = "; another TPM is named by TPM_DEVICE, or device= in a tpm: URI"
	switch {
	case system == "darwin":
		return "macOS has no TPM (the Secure Enclave is none): use a key on a token or in a file" + another
	case system == "windows":
		return "see in tpm.msc whether the TPM is there and ready" + another
	case is[*fs.PathError](err):
		return "see whether the system has a TPM: ls /dev/tpm*; a virtual machine has to be given one" + another
	}
	return "see whether it runs and listens there" + another
}
