package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/hostcert"
	"kedge/internal/hostfiles"
)

// identityFiles are the paths of the files of one name.
type identityFiles = hostfiles.Paths

// formFlags say which files are written beside the certificate and its chain.
type formFlags struct {
	fullChain bool
	pkcs12    bool
	legacy    bool   // for old readers of PKCS#12
	from      string // the password of the PKCS#12

	password []byte // after reading
}

func (f *formFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.fullChain, "full-chain", false, "write NAME.fullchain.pem too: the certificate and the intermediates, without the root")
	cmd.Flags().BoolVar(&f.pkcs12, "pkcs12", false, "write NAME.p12 too: key, certificate and issuers, encrypted with a password")
	cmd.Flags().BoolVar(&f.legacy, "pkcs12-legacy", false, "encrypt NAME.p12 so weakly that old programs can read it (3DES, SHA-1): whoever has the file soon has the key")
	cmd.Flags().StringVar(&f.from, "pkcs12-password-from", "", "where the password of NAME.p12 is, as `REF`: PATH, fd:N, env:NAME, - (standard input) or prompt; asked on the terminal when not given")
}

// check refuses contradictory flags.
func (f *formFlags) check(cmd *cobra.Command, keyFrom string) error {
	switch {
	case f.legacy && !f.pkcs12:
		return cli.Usagef(cmd, "--pkcs12-legacy: there is no --pkcs12 to encrypt")
	case f.from != "" && !f.pkcs12:
		return cli.Usagef(cmd, "--pkcs12-password-from: there is no --pkcs12 to encrypt")
	case f.from != "" && f.from == keyFrom && cadir.ReadOnce(f.from):
		return cli.Usagef(cmd, "--pkcs12-password-from: %s is read by --key-password-from already", f.from)
	}
	return nil
}

// readPassword reads the password of the PKCS#12, if one is to be written: early, since nothing
// should be issued without it.
func (f *formFlags) readPassword(h host, path string) error {
	if !f.pkcs12 {
		return nil
	}
	password, warnings, err := h.newPassword("pkcs12-password-from", f.from, path)
	if err != nil {
		return &pkcs12Error{err}
	}
	f.password = password
	h.warnAll(warnings)
	if f.legacy {
		h.warn(path + " is encrypted with 3DES and SHA-1, which passwords of people do not withstand: guard it like a key in the clear, and remove it once it is read")
	}
	return nil
}

// pkcs12Error reports that the password of a PKCS#12 could not be read.
type pkcs12Error struct{ error }

func (e *pkcs12Error) Unwrap() error { return e.error }

// format returns the format that the flags select.
func (f *formFlags) format() hostfiles.Format {
	return hostfiles.Format{FullChain: f.fullChain, PKCS12: f.pkcs12, Legacy: f.legacy, Password: f.password}
}

// hostIssuer opens an authority to issue leaves whose keys and certificates are written to files.
func (s *store) hostIssuer(ctx context.Context, name string, f *formFlags) (*hostcert.Issuer, error) {
	i, err := s.Issuer(ctx, name)
	return &hostcert.Issuer{Issuer: i, Format: f.format()}, err
}
