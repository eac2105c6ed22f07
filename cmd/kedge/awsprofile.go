package main

import (
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/credfile"
)

// profileFile is a profile in one of the two files of the AWS SDKs.
type profileFile struct {
	path    string
	section credfile.Section
	unnamed bool // no flag names the profile
}

// String describes where it is, and why there where nobody said so.
func (p profileFile) String() string {
	place := fmt.Sprintf("%s of %s", p.section, p.path)
	if p.unnamed {
		place += " (no --profile was given)"
	}
	return place
}

// newProfileFile checks the name; find returns the path of the file if path is empty.
func newProfileFile(cmd *cobra.Command, form credfile.Form, path, profile string) (profileFile, error) {
	section, err := credfile.NewSection(form, profile)
	if err != nil {
		return profileFile{}, cli.Usagef(cmd, "--profile: %w", err)
	}
	find := config.CredentialsFile
	if form == credfile.Config {
		find = config.ProfilesFile
	}
	if path == "" {
		if path, err = find(); err != nil {
			return profileFile{}, &cli.UsageError{Command: cmd.CommandPath(), Hint: "give the file with --file PATH", Err: err}
		}
	}
	path, err = filepath.Abs(path)
	return profileFile{path: path, section: section, unnamed: !cmd.Flags().Changed("profile")}, err
}

// beside is the profile of the same name in the other file, as far as that is known.
func (p profileFile) beside(form credfile.Form, name string) (credfile.Profile, string) {
	find := config.CredentialsFile
	if form == credfile.Config {
		find = config.ProfilesFile
	}
	path, err := find()
	if err != nil || path == p.path {
		return credfile.Profile{}, ""
	}
	section, err := credfile.NewSection(form, name)
	if err != nil {
		return credfile.Profile{}, ""
	}
	found, err := credfile.Read(path, section)
	if err != nil {
		return credfile.Profile{}, ""
	}
	return found, path
}

// unreadableError is a file of profiles that the AWS CLI and boto3 cannot read.
type unreadableError struct {
	path string
	err  error // which line it is
}

func (e *unreadableError) Error() string {
	return fmt.Sprintf("%s: %v: the AWS CLI and boto3 refuse the whole file", e.path, e.err)
}
func (e *unreadableError) Unwrap() error { return e.err }

// warnAbout reports what of the file endangers its secrets or keeps SDKs from reading it.
func (p profileFile) warnAbout(h host, found credfile.Profile) {
	if found.Problem != nil {
		h.warn((&unreadableError{p.path, found.Problem}).Error())
	}
	if runtime.GOOS != "windows" && found.Mode.Perm()&0o077 != 0 {
		h.warn(fmt.Sprintf("%s has mode %04o, which is kept: other users can read the keys in it", p.path, found.Mode.Perm()))
	}
}
