// Package caadvice has the hints for errors of the CA's libraries: one sentence, with a command or a
// flag of kedge-ca where there is one, and nothing where the package knows none. It also has the exit
// codes. The errors of commands are advised on where the commands are. kedge has a table of its own, so
// that it links no CA.
package caadvice

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/safefile"
)

// Of returns the first advice that fits an error.
func Of(err error) string {
	return cmp.Or(usage(err), renewal(err), certificate(err), authority(err), usable(err), takenIn(err), opened(err), list(err), files(err))
}

// ExitCode returns the code that kedge-ca exits with.
func ExitCode(err error) int {
	switch {
	case is[*config.FlagError](err):
		return cli.ExitUsage
	case is[*cadir.UnusableError](err), errors.Is(err, issuance.ErrNoKeys), is[*ca.ValidityError](err), Hardware(err) != "":
		return cli.ExitKey
	}
	return cli.ExitFailed
}

// usage is about the command line and the configuration.
func usage(err error) string {
	if flag, ok := errors.AsType[*config.FlagError](err); ok {
		return fmt.Sprintf("run \"kedge-ca --help\" for what --%s takes", flag.Flag)
	}
	if wrong, ok := errors.AsType[*config.FolderError](err); ok {
		if wrong.Absent {
			return "make it first: mkdir -p " + wrong.Path
		}
		return "give a folder with --" + wrong.Flag
	}
	if gone, ok := errors.AsType[*cadir.GoneProfileError](err); ok {
		return "choose one with --profile; " + oneOf("profiles", gone.Err.Known)
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

// oneOf names what can be chosen from.
func oneOf(what string, names []string) string {
	slices.Sort(names)
	return fmt.Sprintf("the %s are %s", what, strings.Join(slices.Compact(names), ", "))
}

// files is about files and folders in general.
func files(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return access(err) + "choose another folder with --dir or --out, or another user"
	case errors.Is(err, fs.ErrExist):
		return "nothing is ever overwritten here; move it away, or choose another folder or name"
	case errors.Is(err, syscall.ENOSPC):
		return "make room on the disk and run the same again"
	}
	return ""
}

// access describes who may use the path that an error names, with a separator for what follows.
func access(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	text := cmp.Or(config.DescribeAccess(path.Path), config.DescribeAccess(filepath.Dir(path.Path)))
	if text == "" {
		return ""
	}
	return text + "; "
}

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
