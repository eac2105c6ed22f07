package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/signer/keyfile"
)

// newKeyFlags are the flags for a new key of a CA, and its encryption.
type newKeyFlags struct {
	kind       string
	noPassword bool
	from       string // where its password is, if not given by --key-password-from
	uri        string // of an existing key, which stays where it is
}

func (f *newKeyFlags) add(cmd *cobra.Command) {
	cli.AddKeyType(cmd.Flags(), &f.kind, "P-256", "")
	cmd.Flags().StringVar(&f.uri, "key", "", "take the key that `URI` names, which stays where it is: pkcs11:token=LABEL;object=NAME, tpm:file=PATH, handle:0x81000010, awskms:key-id=ID;region=REGION, or the path of a key file")
	cmd.Flags().BoolVar(&f.noPassword, "no-password", false, "leave the CA's key in the clear: whoever reads the file owns every role that trusts this CA")
	cmd.MarkFlagsMutuallyExclusive("key", "key-type")
	cmd.MarkFlagsMutuallyExclusive("key", "no-password")
}

// addPassword is for commands that open another key of the CA as well.
func (f *newKeyFlags) addPassword(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.from, "new-password-from", "", "where the password of the new key is, as `REF`; the one of --key-password-from when not given, or asked for on the terminal")
	cmd.MarkFlagsMutuallyExclusive("no-password", "new-password-from")
}

// keyKind checks --key and --key-type.
func (f *newKeyFlags) keyKind(cmd *cobra.Command) (keyKind, error) {
	if cmd.Flags().Changed("key") {
		uri, err := cadir.CleanKeyURI(f.uri)
		if err != nil {
			return keyKind{}, cli.Usagef(cmd, "--key: %w", err)
		}
		f.uri = uri
		return keyKind{}, nil
	}
	kind, err := parseKeyKind(f.kind, "seed")
	if err != nil {
		return kind, cli.Usagef(cmd, "%w", err)
	}
	return kind, nil
}

// request returns the request for the key of an authority: the one that the flags name, or a new one
// of a kind. keyFrom is the value of --key-password-from.
func (f *newKeyFlags) request(h host, keyFrom string, kind keyKind) cadir.KeyRequest {
	return cadir.KeyRequest{URI: f.uri, Generate: kind.Generate, Password: func(path string) ([]byte, []string, error) {
		return f.readPassword(h, keyFrom, path)
	}}
}

// readPassword returns the password to encrypt a new key with, or nil with --no-password, and
// warnings about it. ref is the value of --key-password-from.
func (f *newKeyFlags) readPassword(h host, ref, path string) (password []byte, warnings []string, err error) {
	if f.noPassword {
		return nil, nil, nil
	}
	flag := "key-password-from"
	if f.from != "" {
		flag, ref = "new-password-from", f.from
	}
	password, warnings, err = h.newPassword(flag, ref, path)
	switch {
	case err == nil, errors.Is(err, context.Canceled), is[*config.FlagError](err):
		return password, warnings, err
	case errors.Is(err, config.ErrPasswordEmpty):
		err = fmt.Errorf("%w; nothing was made (--no-password leaves the key in the clear)", config.ErrPasswordEmpty)
	case errors.Is(err, config.ErrPasswordsDiffer):
		err = fmt.Errorf("%w; nothing was made", config.ErrPasswordsDiffer)
	}
	return nil, nil, &cadir.UnusableError{Err: err}
}

// newPassword reads a password to encrypt the file at path with, and warnings about it.
func (h host) newPassword(flag, ref, path string) (password []byte, warnings []string, err error) {
	p, err := config.NewPassword(flag, ref)
	if err != nil {
		return nil, nil, err
	}
	password, err = p.Read(h.inputs, path)
	switch {
	case errors.Is(err, keyfile.ErrPasswordRequired) && !errors.Is(err, context.Canceled):
		return nil, nil, fmt.Errorf("a password is needed to encrypt %s, and %w", path, cli.ErrNoTerminal)
	case err != nil:
		return nil, nil, fmt.Errorf("password for %s: %w", path, err)
	}
	return password, p.Warnings(), nil
}
