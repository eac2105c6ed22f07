// Package caadvice has the table of what to do about errors of the CA's libraries: exit codes, and hints
// with a command or a flag of kedge-ca where there is one. The errors of the commands themselves are
// advised on where the commands are. kedge has a table of its own, so that it links no CA.
package caadvice

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/advice"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostcert"
	"kedge/internal/localca"
	"kedge/internal/safefile"
)

// Table returns the rows for errors of the CA's libraries.
func Table() advice.Table {
	return slices.Concat(steps(), pushed(), codes(), usage(), renewal(), certificate(), authority(), server(), hardware(), usable(), enrollment(), takenIn(), backup(), atAWS(), inAccount(), atWork(), opened(), list(), files())
}

// steps is about errors of localca and hostcert that wrap others, so it comes first.
func steps() advice.Table {
	return advice.Table{
		advice.About(func(e *localca.UnwrittenError) string {
			return "it is in the ledger: kedge-ca show " + e.Serial + " --pem"
		}),
		advice.About(func(e *localca.OfflineParentError) string {
			return fmt.Sprintf("where the key of %s is elsewhere, run intermediate with --csr here, with --from there, and with --certificate here", e.Parent)
		}),
		advice.Kind[*hostcert.NamelessError]("give the name with --name, or put a common name into the request"),
		advice.When(func(err error) bool { return is[*localca.AdoptError](err) && errors.Is(err, fs.ErrNotExist) },
			"put the ca.key and ca.pem of the CA there first, or name its key with --key; without --adopt, init makes a CA"),
	}
}

// codes are the rows that decide how to exit whatever the hint is.
func codes() advice.Table {
	return append(advice.Table{
		advice.Code[*config.FlagError](cli.ExitUsage),
		advice.Code[*cadir.UnusableError](cli.ExitKey),
		advice.Code[*ca.ValidityError](cli.ExitKey),
		{Fits: func(err error) bool { return errors.Is(err, issuance.ErrNoKeys) }, Code: cli.ExitKey},
	}, hardware()...)
}

// hardware is about the keys of the CA on tokens, in TPMs and in AWS KMS.
func hardware() advice.Table {
	return append(inKMS(), advice.Hardware(advice.Program{
		Name:      "kedge-ca",
		Public:    "put the public key or the certificate onto the token",
		Elsewhere: "run it on the machine whose TPM has the key; one that is lost with its TPM must be rotated away from: kedge-ca rotate start",
		System:    runtime.GOOS,
	})...).Coded(cli.ExitKey)
}

// usage is about the command line and the configuration.
func usage() advice.Table {
	return advice.Table{
		advice.About(func(e *config.FlagError) string {
			return fmt.Sprintf("run \"kedge-ca --help\" for what --%s takes", e.Flag)
		}),
		advice.About(func(e *config.FolderError) string {
			if e.Absent {
				return "make it first: mkdir -p " + e.Path
			}
			return "give a folder with --" + e.Flag
		}),
		advice.About(func(e *cadir.GoneProfileError) string {
			return "choose one with --profile; " + oneOf("profiles", e.Err.Known)
		}),
		advice.About(func(e *cadir.UnknownProfileError) string {
			if e.Label != "" {
				return "add it under profiles:, or name one of: " + strings.Join(e.Known, ", ")
			}
			return oneOf("profiles", e.Known) + "; choose with --profile, or with default_profile in the configuration"
		}),
		advice.About(func(e *safefile.UnsafeError) string {
			return "such a file decides what is issued and which code runs: " + e.File + " and the folders above it must belong to root or the user of this process, who alone may write to them (chown, chmod go-w)"
		}),
		advice.About(func(e *issuance.UnknownAuthorityError) string { return oneOf("authorities", e.Known) }),
	}
}

// oneOf names what can be chosen from.
func oneOf(what string, names []string) string {
	slices.Sort(names)
	return fmt.Sprintf("the %s are %s", what, strings.Join(slices.Compact(names), ", "))
}

// files is about files and folders in general.
func files() advice.Table {
	return append(advice.Table{
		{Fits: isError(fs.ErrPermission), Hint: func(err error) string {
			return access(err) + "choose another folder with --dir, --out or, of the archive, --to, or another user"
		}},
		advice.Any("nothing is ever overwritten here; move it away, or choose another folder or name", fs.ErrExist),
		advice.NoRoom(" and run the same again"),
	}, advice.Unreadable()...)
}

func isError(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// access describes who may use the path that an error names, with a separator for what follows.
func access(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	return accessTo(path.Path)
}

// accessTo describes who may use a path, with a separator for what follows; empty where that is not known.
func accessTo(path string) string {
	text := cmp.Or(config.DescribeAccess(path), config.DescribeAccess(filepath.Dir(path)))
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
