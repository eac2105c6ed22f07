// Package config is the one place that turns what a person typed - flags, environment
// variables, references to files - into values the rest of kedge can trust.
//
// It promises that every error about a flag is a *FlagError that names it, that no input is
// read past its limit, and that secrets never appear in a message. It never prints, and it
// never reads the AWS configuration files: a helper behind credential_process must work
// whatever they hold.
package config

import "fmt"

// FlagError is a flag whose value cannot be used as it stands: a mistake on the command
// line, found before anything was tried.
type FlagError struct {
	Flag string // without dashes, such as "private-key"
	Err  error
}

func (e *FlagError) Error() string { return fmt.Sprintf("--%s: %v", e.Flag, e.Err) }
func (e *FlagError) Unwrap() error { return e.Err }

func flagErrorf(flag, format string, args ...any) error {
	return &FlagError{Flag: flag, Err: fmt.Errorf(format, args...)}
}
