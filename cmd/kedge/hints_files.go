package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"kedge/internal/config"
)

const folderHint = "this is a folder: give the path of a file in it"

// fileHint is the advice for a file or a variable that cannot be read.
func fileHint(err error) string {
	if unset, ok := errors.AsType[*config.UnsetError](err); ok {
		return "export " + unset.Variable + " to this process: what sudo, cron and systemd start has an environment of its own"
	}
	path, ok := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, syscall.EISDIR):
		return folderHint
	case !ok:
		return ""
	case errors.Is(err, fs.ErrPermission):
		if access := config.DescribeAccess(path.Path); access != "" {
			return access
		}
		return "let the user of this process read the file"
	case errors.Is(err, fs.ErrNotExist):
		return noFileHere(path.Path)
	}
	return ""
}

// noFileHere says where a file was looked for in vain.
func noFileHere(path string) string {
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
