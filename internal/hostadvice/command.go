package hostadvice

import (
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"kedge/internal/advice"
	"kedge/internal/process"
)

// command is about a command that cannot be run.
func command() advice.Table { return advice.Table{advice.About(cannotStart)} }

func cannotStart(err *process.StartError) string {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return `if it is a script, its first line must name its interpreter, as in "#!/bin/sh"`
	case errors.Is(err, exec.ErrNotFound) && strings.ContainsAny(err.Name, " \t"):
		return "give the command and its arguments as separate words, or run: sh -c '...'"
	case errors.Is(err, exec.ErrNotFound):
		return "it is in no folder of PATH"
	case err.Found && errors.Is(err, fs.ErrNotExist):
		return "the file is there, but not the interpreter that its first line names, or the loader that it was built for"
	case errors.Is(err, fs.ErrNotExist):
		return advice.NoFile(err.Name)
	case errors.Is(err, fs.ErrPermission):
		return "the file must be executable: chmod +x"
	}
	return ""
}
