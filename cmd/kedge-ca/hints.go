package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"kedge/ca"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/signer"
)

// advise is the table of what to do about an error.
func advise(err error) cli.Advice {
	advice := cli.Advice{Code: cli.ExitFailed}
	unusable, ok := errors.AsType[*caError](err)
	_, outOfDate := errors.AsType[*ca.ValidityError](err)
	if ok || outOfDate {
		advice.Code = cli.ExitKey
	}
	_, isRule := errors.AsType[*ca.LintError](err)
	_, isLinted := errors.AsType[*lintedError](err)
	wrong, isFolder := errors.AsType[*folderError](err)
	flag, isFlag := errors.AsType[*config.FlagError](err)
	_, unconfirmed := errors.AsType[*unconfirmedError](err)
	switch {
	case isFlag:
		return cli.Advice{Code: cli.ExitUsage, Hint: fmt.Sprintf("run \"%s --help\" for what --%s takes", name, flag.Flag)}
	case unconfirmed:
		return cli.Advice{Code: cli.ExitUsage, Hint: "repeat it with --yes if it is meant"}
	case isRule:
		advice.Hint = "IAM Roles Anywhere makes session tags of the names in a certificate and would refuse this one"
	case isLinted:
		advice.Hint = "IAM Roles Anywhere would refuse what breaks a rule of severity error; make it again without that"
	case errors.Is(err, signer.ErrWrongPassword):
		advice.Hint = "check the password: one line ending at the end of a password file is left out, anything else counts"
	case errors.Is(err, signer.ErrPasswordRequired), errors.Is(err, cli.ErrNoTerminal):
		advice.Hint = "give the password with --key-password-from PATH, env:NAME or fd:N"
	case outOfDate:
		advice.Hint = "check this host's clock; if it is right, make a CA in another folder with --dir, and register it as a trust anchor"
	case ok && unusable.absent:
		advice.Hint = `make a CA with "kedge-ca init", or name its folder with --dir`
	case isFolder && wrong.absent:
		advice.Hint = "make it first: mkdir -p " + wrong.path
	case isFolder:
		advice.Hint = "give a folder with --" + wrong.flag
	case errors.Is(err, fs.ErrPermission):
		advice.Hint = access(err) + "choose another folder with --dir or --out, or another user"
	case errors.Is(err, fs.ErrExist):
		advice.Hint = "nothing is ever overwritten here; move it away, or choose another folder or name"
	}
	return advice
}

// access says who may use the path that an error names, and ends where more can be said.
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
