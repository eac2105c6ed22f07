package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/advice"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/filelock"
	"kedge/internal/localca"
	"kedge/internal/safefile"
	"kedge/internal/takeover"
	"kedge/signer"
)

// advise says how to exit after an error, and what to do about it: the first hint that fits.
func advise(err error) cli.Advice {
	result := cli.Advice{Code: exitCode(err)}
	for _, hint := range []func(error) string{hintUsage, hintRenewal, hintCertificate, hintAuthority, hintCA, hintLedger, hintFiles} {
		if result.Hint = hint(err); result.Hint != "" {
			break
		}
	}
	return result
}

// is says whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func exitCode(err error) int {
	switch {
	case is[*config.FlagError](err), is[*unconfirmedError](err):
		return cli.ExitUsage
	case is[*cadir.UnusableError](err), is[*ca.ValidityError](err), advice.Hardware(err) != "":
		return cli.ExitKey
	}
	return cli.ExitFailed
}

func hintUsage(err error) string {
	if flag, ok := errors.AsType[*config.FlagError](err); ok {
		return fmt.Sprintf("run \"%s --help\" for what --%s takes", name, flag.Flag)
	}
	if is[*unconfirmedError](err) {
		return "repeat it with --yes if it is meant"
	}
	if unknown, ok := errors.AsType[*unknownAnchorError](err); ok {
		return "give its ARN once, it is kept: " + unknown.command + " --trust-anchor ARN"
	}
	if gone, ok := errors.AsType[*goneProfileError](err); ok {
		return "choose one with --profile; " + oneOf("profiles", gone.err.Known)
	}
	if unknown, ok := errors.AsType[*cadir.UnknownProfileError](err); ok {
		return oneOf("profiles", unknown.Known) + "; choose with --profile, or with default_profile in the configuration"
	}
	if unsafe, ok := errors.AsType[*safefile.UnsafeError](err); ok {
		return "it says what is issued and which code runs: " + unsafe.File + " and the folders above it must belong to root or the user of this process, who alone may write to them (chown, chmod go-w)"
	}
	if unknown, ok := errors.AsType[*issuance.UnknownAuthorityError](err); ok {
		return oneOf("authorities", unknown.Known)
	}
	return ""
}

func oneOf(what string, names []string) string {
	slices.Sort(names)
	return fmt.Sprintf("the %s are %s", what, strings.Join(slices.Compact(names), ", "))
}

// hintCertificate is about what is not issued.
func hintCertificate(err error) string {
	if left, ok := errors.AsType[*safefile.LeftoverError](err); ok {
		return "find out who put it there, move " + left.File + " away, and run the same again: that makes a new key"
	}
	if broken, ok := errors.AsType[*ca.LintError](err); ok {
		return advice.Lint(broken.Findings)
	}
	if hint := advice.Request(err); hint != "" {
		return hint
	}
	if refused, ok := errors.AsType[*ca.ProfileError](err); ok {
		return fmt.Sprintf("ask for what the profile allows, or change %s of profile %q in the configuration", refused.Key, refused.Profile)
	}
	if is[*lintedError](err) {
		return "IAM Roles Anywhere would refuse what breaks a rule of severity error; make it again without that"
	}
	if is[*namelessError](err) {
		return "give the name with --name, or put a common name into the request"
	}
	if unwritten, ok := errors.AsType[*unwrittenError](err); ok {
		return "it is in the ledger: kedge-ca show " + unwritten.serial + " --pem"
	}
	if refused, ok := errors.AsType[*notRenewedError](err); ok {
		if refused.authority {
			return "kedge-ca renew --authority NAME; kedge-ca status has the names"
		}
		return "make a new one with \"kedge-ca issue\", with files of another name or folder"
	}
	if is[*issuance.NoMatchError](err) {
		return "kedge-ca list shows what is in the ledger"
	}
	if is[*issuance.RootRevocationError](err) {
		return "take the trust anchor away at IAM Roles Anywhere, or rotate to a new one"
	}
	if is[*issuance.ForgottenError](err) {
		return "if the ledger was restored from an older backup, take the list into it: kedge-ca crl --take-list; if it was never meant: kedge-ca crl --drop-list"
	}
	if is[*issuance.OddListError](err) {
		return "if it is not needed, move it away: nothing is overwritten of which nobody knows what it revokes"
	}
	if is[*issuance.NoBaseError](err) {
		return "make a complete list first, without --delta"
	}
	return ""
}

// hintAuthority is about roots, what is below them, and how they change.
func hintAuthority(err error) string {
	if offline, ok := errors.AsType[*offlineParentError](err); ok {
		return fmt.Sprintf("where the key of %s is elsewhere, run intermediate with --csr here, with --from there, and with --certificate here", offline.parent)
	}
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

// hintCA is about keys and certificates of the CA.
func hintCA(err error) string {
	unusable, ok := errors.AsType[*cadir.UnusableError](err)
	if hint := advice.Hardware(err); hint != "" {
		return hint
	}
	switch {
	case is[*pkcs12Error](err) && errors.Is(err, cli.ErrNoTerminal):
		return "give the password with --pkcs12-password-from PATH, env:NAME or fd:N"
	case errors.Is(err, signer.ErrWrongPassword):
		return "check the password: one line ending at the end of a password file is left out, anything else counts"
	case errors.Is(err, signer.ErrPasswordRequired), errors.Is(err, cli.ErrNoTerminal):
		return "give the password with --key-password-from PATH, env:NAME or fd:N"
	case is[*ca.ValidityError](err):
		return "check this host's clock; if it is right, make a CA in another folder with --dir, and register it as a trust anchor"
	case ok && unusable.NoKey:
		return "run it where that key is, or bring the key back from a backup; kedge-ca status shows which keys are here"
	case ok && unusable.Absent:
		return `make a CA with "kedge-ca init", or name its folder with --dir`
	}
	if is[*adoptError](err) && errors.Is(err, fs.ErrNotExist) {
		return "put the ca.key and ca.pem of the CA there first, or name its key with --key; without --adopt, init makes a CA"
	}
	if interrupted, ok := errors.AsType[*localca.InterruptedError](err); ok {
		return "if nothing was ever issued with it, move " + interrupted.Key + " and the ledger away and run init again; if it is the key of a CA, bring ca.pem and the ledger back from a backup, or ca.pem alone and run init --adopt"
	}
	return ""
}

func hintLedger(err error) string {
	if refused, ok := errors.AsType[*ledger.RefusedError](err); ok {
		return advice.Refused(refused.Reason)
	}
	if missing, ok := errors.AsType[*ledger.MissingError](err); ok && missing.Backup {
		return "give a file that \"kedge-ca ledger backup\" made, or the ledger.db of a CA"
	}
	switch {
	case is[*otherCAError](err):
		return "give a backup of this CA, or another folder with --dir; --another-ca takes the ledger all the same, but nothing is issued with it here"
	case is[*ledger.MissingError](err):
		return "bring the ledger back with \"kedge-ca ledger restore\"; without a backup, \"kedge-ca init --adopt\" starts a new one, which knows nothing of what was issued before"
	case errors.Is(err, issuance.ErrNoAuthority):
		return "an init was interrupted: if nothing was ever issued here, move the ledger and ca.key away and run init again"
	case is[*issuance.OccupiedError](err):
		return "a ledger holds one CA and what is below it; name another place under ledger: in the configuration"
	case is[*ledger.DamagedError](err), is[*ledger.BrokenError](err):
		return "keep it as it is, find out who could write it, and go on from a backup that verifies: kedge-ca ledger restore"
	case is[*ledger.NotEmptyError](err):
		return "move it away first, and keep it: it may know more than the backup"
	case is[*ledger.OlderSchemaError](err):
		return "run \"kedge-ca status\" once as a user who may write the ledger: that brings it to the schema of this kedge-ca, and older ones refuse it from then on"
	case is[*ledger.NewerSchemaError](err):
		return "use the newer kedge-ca"
	case is[*ledger.BusyError](err), is[*filelock.HeldError](err):
		return "wait for the other process, or end it if it hangs, and run it again"
	case is[*ledger.UnreachableError](err):
		return "check the database and how it is named in the configuration, then run the same again: what was issued is gone on with"
	}
	return hintTaken(err)
}

// hintTaken is about many certificates of which one stopped the rest, and about what another CA left.
func hintTaken(err error) string {
	switch {
	case is[*takeover.Error](err):
		return "nothing was taken in; correct what is named and run the same again"
	case is[*missingError](err):
		return "run the same again when what is named above is there; or, when it is not needed: kedge-ca ledger import --nothing-missing"
	case is[*bulkError](err) && errors.Is(err, fs.ErrExist):
		return "nothing is ever overwritten here; move that file away and run the same again: it goes on where it ended"
	case is[*bulkError](err):
		return "run the same again: it goes on where it ended"
	}
	return ""
}

func hintFiles(err error) string {
	wrong, isFolder := errors.AsType[*folderError](err)
	switch {
	case isFolder && wrong.absent:
		return "make it first: mkdir -p " + wrong.path
	case isFolder:
		return "give a folder with --" + wrong.flag
	case errors.Is(err, fs.ErrPermission):
		return advice.Access(err) + "choose another folder with --dir or --out, or another user"
	case errors.Is(err, fs.ErrExist):
		return "nothing is ever overwritten here; move it away, or choose another folder or name"
	case errors.Is(err, syscall.ENOSPC):
		return "make room on the disk and run the same again"
	}
	return ""
}
