package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// configError is a configuration file that cannot be read.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

// anchorFileError is a file of --trust-anchor that cannot be read.
type anchorFileError struct{ error }

func (e anchorFileError) Unwrap() error { return e.error }

// unreadableError is a file that cannot be opened, without the system call that failed.
type unreadableError struct{ *fs.PathError }

func (e unreadableError) Error() string {
	switch {
	case errors.Is(e.Err, fs.ErrNotExist):
		return "there is no file " + e.Path
	case errors.Is(e.Err, fs.ErrPermission):
		return e.Path + " cannot be read by this user"
	}
	return e.Path + ": " + e.Err.Error()
}

// unreadable puts the error of a file into words; that of a file which another one names begins with the
// name of the other.
func unreadable(file string, err error) error {
	path, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return err
	case path.Path != file:
		return fmt.Errorf("%s: %w", file, unreadableError{path})
	}
	return unreadableError{path}
}

// listenError is an address that cannot be listened on, with the error of the system.
type listenError struct {
	address string
	error
}

func (e *listenError) Error() string {
	return "cannot listen on " + e.address + ": " + e.error.Error()
}
func (e *listenError) Unwrap() error { return e.error }

// unheard puts an error of listening into words, without the calls of package net.
func unheard(address string, err error) error {
	if system, ok := errors.AsType[*os.SyscallError](err); ok {
		return &listenError{address, system.Err}
	}
	return err
}

// advise is the table of what to do about an error.
func advise(err error) cli.Advice {
	advice := cli.Advice{Code: cli.ExitFailed}
	_, isAnchor := errors.AsType[*emulator.AnchorError](err)
	_, isConfig := errors.AsType[configError](err)
	_, isHost := errors.AsType[*emulator.HostCertificateError](err)
	unknown, isUnknown := errors.AsType[*emulator.UnknownMemberError](err)
	isMalformed := emulator.IsMalformedPolicy(err)
	_, isPath := errors.AsType[*fs.PathError](err)
	_, isUnreadable := errors.AsType[unreadableError](err)
	switch {
	case errors.Is(err, emulator.ErrNotLoopback):
		return cli.Advice{Code: cli.ExitUsage, Hint: "listen on 127.0.0.1 or [::1], or give --allow-remote and mean it"}
	case errors.Is(err, emulator.ErrNotAllowed):
		return cli.Advice{Code: cli.ExitRefused, Hint: "the lines with \"not met\" and \"does not match\" name what is missing; give the trust anchor's ARN with --trust-anchor-arn if the policy has it"}
	case isMalformed:
		advice.Hint = "this is what IAM answers to CreateRole with this policy; correct the place that the message names"
	case errors.Is(err, emulator.ErrBasicConstraints):
		advice.Hint = "this is a leaf certificate, not a CA; give the CA's certificate, which is ca/ca.pem where kedge-ca init made it"
	case isAnchor:
		advice.Hint = "give the CA's certificate in PEM, and nothing else; it is ca/ca.pem where kedge-ca init made it"
	case isHost:
		advice.Hint = "give the certificate of the host, not its key, its request or the certificate of the CA; it is web-01.pem where kedge-ca issue web-01 made it"
	case isUnknown:
		advice.Hint = "there can be: " + strings.Join(unknown.Known, ", ")
	case isConfig && !isPath && !isUnreadable:
		advice.Hint = "it is one JSON object; its members are region, account, state, trustAnchors, profiles, roles, users, policies, conditions and faults, all optional"
	default:
		advice.Hint = hintOfSystem(err)
	}
	return advice
}

// hintOfSystem is the part about files and addresses; empty where the error has what the system
// reports.
func hintOfSystem(err error) string {
	path, isPath := errors.AsType[*fs.PathError](err)
	_, isUnreadable := errors.AsType[unreadableError](err)
	_, isAnchorFile := errors.AsType[anchorFileError](err)
	_, isListen := errors.AsType[*listenError](err)
	switch {
	case errors.Is(err, emulator.ErrLocked):
		return "stop the other one, or use another folder with --state"
	case emulator.IsStateFile(err):
		return "remove this file, and what it has is lost, or use another folder with --state"
	case isListen:
		return hintOfAddress(err)
	case isPath && path.Op == "create" && errors.Is(err, fs.ErrNotExist): // of atomicfile
		return "make its folder first"
	case isUnreadable && errors.Is(err, fs.ErrNotExist) && isAnchorFile:
		return "give the path of a file that is there; the CA's certificate is ca/ca.pem where kedge-ca init made it"
	case isUnreadable && errors.Is(err, fs.ErrNotExist):
		return "give the path of a file that is there"
	case isUnreadable && errors.Is(err, fs.ErrPermission):
		return "run it as a user who may read the file"
	}
	return ""
}

// hintOfAddress is the part about an address that cannot be listened on.
func hintOfAddress(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, perhaps another kedge-emulator: stop it, or use --listen 127.0.0.1:0 for a free port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: 127.0.0.1 and [::1] are always there"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 are for root: choose a higher one with --listen"
	}
	return ""
}
