package main

import (
	"errors"
	"fmt"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
)

// goneProfileError says that the profile by which a certificate was issued is not in the
// configuration any more.
type goneProfileError struct {
	subject string
	file    string // the configuration; empty where there is none
	err     *cadir.UnknownProfileError
}

func (e *goneProfileError) Error() string {
	from := "the configuration"
	if e.file != "" {
		from = e.file
	}
	return fmt.Sprintf("%q was issued by the profile %q, which is gone from %s", e.subject, e.err.Name, from)
}

func (e *goneProfileError) Unwrap() error { return e.err }

// profileOf returns the profile that a successor of a certificate is issued by: the one of the flag,
// else that of the certificate. The error is a *goneProfileError when that one is gone.
func (s *store) profileOf(flag string, c ledger.Certificate) (*ca.Profile, error) {
	if flag != "" {
		return s.settings.Profile(flag)
	}
	profile, err := s.settings.Profile(c.Profile)
	unknown, ok := errors.AsType[*cadir.UnknownProfileError](err)
	if !ok || c.Profile == "" {
		return profile, err
	}
	gone := &goneProfileError{subject: c.Subject, err: unknown}
	path := s.flags.folder().SettingsPath()
	if there, err := atomicfile.Exists(path); err == nil && there {
		gone.file = path
	}
	return nil, gone
}
