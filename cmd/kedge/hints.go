package main

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"kedge/internal/advice"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostadvice"
	"kedge/internal/settings"
	"kedge/internal/trial"
)

// advise returns how to exit after an error, and what to do about it.
func advise(err error) cli.Advice { return append(ownErrors(), hostadvice.Table()...).Of(err) }

// adviseDoctor is advise for what kedge doctor finds: it does not point to itself.
func adviseDoctor(err error) cli.Advice {
	a := advise(err)
	a.Hint = strings.TrimSuffix(a.Hint, hostadvice.SeeDoctor)
	return a
}

// ownErrors is about errors of the commands themselves.
func ownErrors() advice.Table {
	return advice.Table{
		advice.About(enrolled),
		advice.About(func(e *unwrittenError) string {
			return "the operator sets server.aws in kedge-ca.yaml; then run " + e.Next
		}),
		advice.Kind[*rivalError]("write another profile, with --profile NAME, or remove the setting"),
		advice.Kind[*unreadableError]("correct that line; nothing was written"),
		advice.About(noListener),
		{Fits: isUnconfirmed, Code: cli.ExitUsage, Hint: func(error) string { return "repeat it with --yes if it is meant" }},
		advice.Kind[*unusedTokenError]("repeat the command with --force"),
		advice.Kind[*noTokenError](`"kedge-ca token NAME" prints it: give it in a file, with --token-file FILE, or in KEDGE_TOKEN; or enroll by approval: kedge enroll URL --ca-fingerprint HASH`),
		advice.Kind[*severalError]("name one with --dir, or give a token for another"),
		advice.Kind[*noFingerprintError]("the operator of the CA has the whole line, with the hash: kedge-ca pending prints it"),
		advice.Any("choose one with --dir, or renew all that are due with --all", errChooseDir),
		advice.Any("name the folder with --cache DIR", errNoCache),
		advice.Any("name one with --config, or write "+filepath.Join(config.SystemDir(), settings.Name), errNoFile),
	}
}

func isUnconfirmed(err error) bool { return errors.As(err, new(*cli.UnconfirmedError)) }

func isTrial(err error) bool { return errors.As(err, new(*trial.Error)) }

// enrolled is about a check that failed when the identity was written already.
func enrolled(e *unusableError) string {
	next := "correct the cause that the error names"
	if hint := hostadvice.Table().Of(e.Err).Hint; hint != "" && !isTrial(e.Err) { // that of a profile is about a file
		next = hint
	}
	return "the identity in " + e.Dir + " stays, and can be renewed; " + next + ", then run: " + e.Check
}

// noListener is about an address that is not to be had.
func noListener(e *listenError) string {
	switch {
	case errors.Is(e, syscall.EADDRINUSE):
		return "another program listens there, perhaps another kedge serve: end it, or choose another --" + e.flag
	case errors.Is(e, syscall.EACCES):
		return "ports below 1024 are for root: choose a --" + e.flag + " above"
	case errors.Is(e, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: 127.0.0.1, ::1 and 0.0.0.0 are always there"
	}
	return "choose another --" + e.flag
}

// advised adds a hint about the configuration to an error about missing flags.
func (f *settingFlags) advised(err error) error {
	usage, ok := errors.AsType[*cli.UsageError](err)
	if !ok || f.file == nil {
		return err
	}
	usage.Hint = "neither flags nor environment have it, nor the defaults in " + f.file.Path()
	if names := f.file.Profiles(); f.chosen == "" && len(names) > 0 {
		usage.Hint = "choose a profile of " + f.file.Path() + " with --" + f.chooser + ": " + strings.Join(names, ", ")
	} else if f.chosen != "" {
		usage.Hint += ", nor its profile " + f.chosen
	}
	return usage
}
