package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"kedge/internal/caadvice"
	"kedge/internal/cli"
)

// advise says how to exit after an error, and what to do about it: the first hint that fits.
func advise(err error) cli.Advice {
	code := caadvice.ExitCode(err)
	if is[*unconfirmedError](err) {
		code = cli.ExitUsage
	}
	return cli.Advice{Code: code, Hint: cmp.Or(hintCommand(err), caadvice.Of(err))}
}

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// hintCommand is about errors of the commands themselves.
func hintCommand(err error) string {
	if unknown, ok := errors.AsType[*unknownAnchorError](err); ok {
		return "give its ARN once, it is kept: " + unknown.command + " --trust-anchor ARN"
	}
	if unwritten, ok := errors.AsType[*unwrittenError](err); ok {
		return "it is in the ledger: kedge-ca show " + unwritten.serial + " --pem"
	}
	if offline, ok := errors.AsType[*offlineParentError](err); ok {
		return fmt.Sprintf("where the key of %s is elsewhere, run intermediate with --csr here, with --from there, and with --certificate here", offline.parent)
	}
	switch {
	case is[*unconfirmedError](err):
		return "repeat it with --yes if it is meant"
	case is[*lintedError](err):
		return "IAM Roles Anywhere would refuse what breaks a rule of severity error; make it again without that"
	case is[*namelessError](err):
		return "give the name with --name, or put a common name into the request"
	case is[*pkcs12Error](err) && errors.Is(err, cli.ErrNoTerminal):
		return "give the password with --pkcs12-password-from PATH, env:NAME or fd:N"
	case is[*adoptError](err) && errors.Is(err, fs.ErrNotExist):
		return "put the ca.key and ca.pem of the CA there first, or name its key with --key; without --adopt, init makes a CA"
	}
	return ""
}
