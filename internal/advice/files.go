package advice

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"kedge/internal/config"
	"kedge/signer/keyfile"
)

// Unreadable are the rows about files and variables that something is to be read from.
func Unreadable() Table {
	return Table{
		About(func(e *config.UnsetError) string {
			return "export " + e.Variable + " to this process: what sudo, cron and systemd start has an environment of its own"
		}),
		Folder(),
		{Fits: atPath(fs.ErrPermission), Hint: func(err error) string {
			if access := config.DescribeAccess(pathIn(err)); access != "" {
				return access
			}
			return "let the user of this process read the file"
		}},
		{Fits: atPath(fs.ErrNotExist), Hint: func(err error) string { return NoFile(pathIn(err)) }},
	}
}

// Folder is about a folder in the place of a file.
func Folder() Row { return Any("this is a folder: give the path of a file in it", syscall.EISDIR) }

// NoRoom returns the row for a full disk; then, which may be empty, ends the hint.
func NoRoom(then string) Row {
	return Any("make room on the disk"+then, syscall.ENOSPC, syscall.EDQUOT)
}

// Passwords are the rows about the password of a file; give is a hint how to give it.
func Passwords(give string, missing ...error) Table {
	return Table{
		Any("check the password: one line ending at the end of a password file is left out, anything else counts", keyfile.ErrWrongPassword),
		Any(give, append(missing, keyfile.ErrPasswordRequired)...),
	}
}

// NoFile returns a hint for a file that was not found.
func NoFile(path string) string {
	if strings.HasPrefix(path, "~") || strings.Contains(path, "$") {
		return "write the path out: a shell expands ~ and $HOME, nothing else does"
	}
	if target, err := os.Readlink(path); err == nil {
		return path + " is a symbolic link to " + target + ", which is not there"
	}
	if !filepath.IsAbs(path) {
		folder, err := os.Getwd()
		if err != nil {
			return "give an absolute path: the working folder is gone"
		}
		return "check the path, which was looked for in " + folder + ": an absolute one is right in every folder"
	}
	missing := path
	for folder := filepath.Dir(path); ; missing, folder = folder, filepath.Dir(folder) {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) || folder == missing {
			return "check the path: " + folder + " has no " + filepath.Base(missing)
		}
	}
}

// atPath reports whether an error is one of some kind, and names a path.
func atPath(target error) func(error) bool {
	return func(err error) bool { return is[*fs.PathError](err) && errors.Is(err, target) }
}

func pathIn(err error) string {
	e, _ := errors.AsType[*fs.PathError](err)
	return e.Path
}
