package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
)

// The exit codes for a program that cannot be run, as env(1) and shells define them.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/env.html
const (
	CodeNotExecutable = 126
	CodeNotFound      = 127
)

// Command is a program with its arguments, environment and standard streams.
type Command struct {
	Path  string     // of the file, as Find returns it
	Args  []string   // the first is the program's name as the user gave it
	Env   []string   // NAME=VALUE
	Files []*os.File // standard input, output and error; nil for a closed one
}

// StartError reports a program that cannot be run.
type StartError struct {
	Name  string // as the user gave it
	Found bool   // there is such a file
	Err   error
}

func (e *StartError) Error() string {
	if errors.Is(e.Err, exec.ErrNotFound) {
		return e.Name + ": no such command"
	}
	return fmt.Sprintf("run %q: %v", e.Name, e.Err)
}
func (e *StartError) Unwrap() error { return e.Err }

// Code is CodeNotFound or CodeNotExecutable.
func (e *StartError) Code() int {
	if errors.Is(e.Err, fs.ErrNotExist) || errors.Is(e.Err, exec.ErrNotFound) {
		return CodeNotFound
	}
	return CodeNotExecutable
}

// startError returns an error without the file and system call that err names, which Error adds.
func startError(name string, found bool, err error) *StartError {
	if lookup, ok := errors.AsType[*exec.Error](err); ok {
		err = lookup.Err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return &StartError{Name: name, Found: found, Err: err}
}
