package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"kedge/internal/cli"
	"kedge/internal/enrollclient"
	"kedge/internal/processline"
	"kedge/internal/units"
)

// unusableError reports that a host is enrolled, and gets no credentials yet. Err says why.
type unusableError struct {
	Name, Dir string
	Check     string // what checks it again
	Err       error
}

func (e *unusableError) Error() string {
	return e.Name + " is enrolled, but its certificate gives no credentials: " + e.Err.Error()
}
func (e *unusableError) Unwrap() error { return e.Err }

// unwrittenError reports that a host is enrolled, and that its AWS profile cannot be written.
type unwrittenError struct {
	Name    string
	Profile string // as in the file
	Next    string // what writes it once the server names a role
}

func (e *unwrittenError) Error() string {
	return e.Name + " is enrolled, but " + e.Profile + " was not written: the server names no role"
}

// noRole is for a server that names no role: without ARNs there is nothing to check, and no profile.
func (o *enrollOptions) noRole(got *enrollclient.Enrolled) error {
	if o.awsProfile == "" {
		o.warn("the server names no role (server.aws in kedge-ca.yaml of the CA): whether this certificate gives credentials was not checked")
		return nil
	}
	next, err := processline.Join([]string{"kedge", "enroll", "--dir", got.Dir, "--accept-settings", "--aws-profile", o.awsProfile})
	if err != nil {
		next = "the same command again, with --accept-settings"
	}
	return &unwrittenError{Name: got.Pair.Record.Name, Profile: o.section.String(), Next: next}
}

// use writes the AWS profile if that is asked for, and otherwise gets credentials once, to see that it
// works. Both need the ARNs that the server may name.
func (o *enrollOptions) use(ctx context.Context, got *enrollclient.Enrolled) error {
	if got.Pair.Record.AWS == nil {
		return o.noRole(got)
	}
	arguments := enrollclient.RoleFlags(got.Dir, got.Pair)
	check, err := processline.Join(append([]string{"kedge", "credential-process"}, arguments...))
	switch {
	case err != nil:
	case o.awsProfile != "":
		check = "the same command again"
		err = o.configure(ctx, append(arguments, "--profile", o.awsProfile, "--aws-region", got.Pair.Record.AWS.Region))
	case !o.noCheck:
		err = o.try(ctx, enrollclient.OfThisPair(arguments))
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("the check was interrupted") // as an interruption, it would be advised to run enroll again
	}
	if err != nil {
		return &unusableError{Name: got.Pair.Record.Name, Dir: got.Dir, Check: check, Err: err}
	}
	return nil
}

// sayHowToUse prints the command that gives a new identity to programs.
func (o *enrollOptions) sayHowToUse(got *enrollclient.Enrolled) {
	status := enrollclient.StatusOf(got.Dir, got.Pair)
	purpose, words := "for the AWS CLI and SDKs, write a profile that uses it: ", []string{"kedge", "enroll", "--dir", got.Dir, "--aws-profile", "default"}
	switch {
	case got.Pair.Record.AWS == nil:
		words = []string{"kedge", "configure", "--certificate", status.Certificate, "--private-key", status.PrivateKey, "--trust-anchor-arn", "ARN", "--profile-arn", "ARN", "--role-arn", "ARN", "--profile", "default"}
	case o.systemd:
		purpose, words = "serve credentials to the programs of this machine: ", append([]string{"runuser", "-u", units.User, "--", "kedge", "serve"}, enrollclient.RoleFlags(got.Dir, got.Pair)...)
	}
	if line, err := processline.Join(words); err == nil {
		o.say("hint", purpose+line)
	}
}

// configure does what kedge configure does.
func (o *enrollOptions) configure(ctx context.Context, arguments []string) error {
	cmd := newConfigure(o.host, runConfigure)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if o.noCheck {
		arguments = append(arguments, "--no-check")
	}
	cmd.SetArgs(arguments)
	return cmd.ExecuteContext(ctx)
}

// try gets credentials as kedge credential-process does, but without the cache, and with nobody to ask for a
// password. It starts no process: a container or a chroot may have no shell, no /proc and no /dev/null.
func (o *enrollOptions) try(ctx context.Context, arguments []string) error {
	h := o.host
	h.In, h.Out = strings.NewReader(""), io.Discard
	h.inputs.Stdin, h.inputs.Ask = h.In, func(string) ([]byte, error) { return nil, cli.ErrNoTerminal }
	cmd := newCredentialProcess(h, runCredentialProcess)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append(arguments, "--cache", "off"))
	if err := cmd.ExecuteContext(ctx); err != nil {
		return err
	}
	o.done("it gives credentials")
	return nil
}
