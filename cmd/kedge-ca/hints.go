package main

import (
	"errors"

	"kedge/internal/advice"
	"kedge/internal/caadvice"
	"kedge/internal/cli"
)

// advise returns the exit code for an error, and what to do about it.
func advise(err error) cli.Advice { return append(ownErrors(), caadvice.Table()...).Of(err) }

// ownErrors has the advice about errors of the commands themselves.
func ownErrors() advice.Table {
	return advice.Table{
		advice.About(func(e *unknownAnchorError) string {
			return "give its ARN once, it is kept: " + e.command + " --trust-anchor ARN"
		}),
		advice.Kind[*damagedError]("the warnings name them; all others are listed. Copy the file again if it should be whole"),
		{Fits: is[*cli.UnconfirmedError], Code: cli.ExitUsage, Hint: func(error) string { return "repeat it with --yes if it is meant" }},
		advice.When(func(err error) bool { e, ok := errors.AsType[*lintedError](err); return ok && e.errors > 0 },
			"IAM Roles Anywhere would refuse what breaks a rule of severity error; make it again without that"),
		advice.Any("build it first: kedge-ca aws up; one that was registered otherwise is updated as kedge-ca bundle --aws-cli writes it", errNotBuilt),
		advice.Any("describe them under aws: roles: in kedge-ca.yaml, or one with --role NAME --names HOSTS --policy FILE|ARN", errNoRoles),
		advice.Any("run kedge-ca aws up, which keeps the ARNs, or leave out --import", errNothingKnown),
		advice.When(func(err error) bool { return is[*pkcs12Error](err) && errors.Is(err, cli.ErrNoTerminal) },
			"give the password with --pkcs12-password-from PATH, env:NAME or fd:N"),
	}
}

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
