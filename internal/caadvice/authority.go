package caadvice

import (
	"errors"
	"fmt"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/signer"
)

// authority is about roots, what is below them, and how they change.
func authority(err error) string {
	if tooLarge, ok := errors.AsType[*issuance.AnchorSizeError](err); ok {
		if n := len(tooLarge.Names); n > 1 {
			return fmt.Sprintf("register the new root as a trust anchor of its own: kedge-ca bundle --authority %s", tooLarge.Names[n-1])
		}
		return "register an intermediate with a smaller key as the trust anchor: kedge-ca bundle --authority NAME"
	}
	if several, ok := errors.AsType[*issuance.AmbiguousError](err); ok {
		return oneOf("authorities below it", several.Names)
	}
	if unlisted, ok := errors.AsType[*localca.UnlistedError](err); ok {
		return fmt.Sprintf("no list was written; where keys have passwords of their own, make the lists one by one: kedge-ca crl --issuer %s", unlisted.Authority)
	}
	switch {
	case is[*ca.PathLengthError](err):
		return "name another CA with --parent; one that is to have CAs below it is made with --path-length 1 or more, or -1 for no limit"
	case is[*ca.CRLSignError](err):
		return "a root gets it with \"kedge-ca renew --authority NAME\", and the renewed root is to be registered; an intermediate from the CA above it"
	case is[*issuance.RotationError](err):
		return "kedge-ca rotate status shows where the CA stands"
	case is[*issuance.RevokedAuthorityError](err):
		return "make another authority with \"kedge-ca intermediate NAME\", or name one that is not revoked with --issuer, or for rotate switch with --to"
	case is[*issuance.RetiredError](err):
		return "leave --issuer and --parent out, or name an authority below the root that is in use"
	case is[*issuance.UnknownRootError](err):
		return "begin a rotation to it: kedge-ca rotate start --root FILE"
	}
	return ""
}

// usable is about keys and certificates of the CA.
func usable(err error) string {
	unusable, ok := errors.AsType[*cadir.UnusableError](err)
	if hint := Hardware(err); hint != "" {
		return hint
	}
	switch {
	case errors.Is(err, signer.ErrWrongPassword):
		return "check the password: one line ending at the end of a password file is left out, anything else counts"
	case errors.Is(err, signer.ErrPasswordRequired), errors.Is(err, cli.ErrNoTerminal):
		return "give the password with --key-password-from PATH, env:NAME or fd:N"
	case is[*ca.ValidityError](err):
		return "check this host's clock; if it is right, make a CA in another folder with --dir, and register it as a trust anchor"
	case ok && unusable.NoKey, errors.Is(err, issuance.ErrNoKeys):
		return "run it where that key is, or bring the key back from a backup; kedge-ca status shows which keys are here"
	case ok && unusable.Absent:
		return `make a CA with "kedge-ca init", or name its folder with --dir`
	}
	if interrupted, ok := errors.AsType[*localca.InterruptedError](err); ok {
		return "if nothing was ever issued with it, move " + interrupted.Key + " and the ledger away and run init again; if it is the key of a CA, bring ca.pem and the ledger back from a backup, or ca.pem alone and run init --adopt"
	}
	return ""
}
