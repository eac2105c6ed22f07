package cadir

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kedge/ca"
)

// Profile returns the profile of a name, or the default one when the name is empty. Once
// profiles are configured, there are no others: the built-in one would be a way around them. The error is
// an *UnknownProfileError, or describes what is wrong with the profile.
func (s *Settings) Profile(name string) (*ca.Profile, error) {
	name = cmp.Or(name, s.DefaultProfile, ca.DefaultProfile().Name())
	listed, ok := s.Profiles[name]
	if !ok && (len(s.Profiles) > 0 || name != ca.DefaultProfile().Name()) {
		known := slices.Sorted(maps.Keys(s.Profiles))
		if len(known) == 0 {
			known = []string{ca.DefaultProfile().Name()}
		}
		return nil, &UnknownProfileError{Name: name, Known: known}
	}
	c := listed.ProfileConfig
	if !ok {
		c = ca.DefaultProfileConfig()
	}
	if c.CRLURLs == nil {
		c.CRLURLs = s.CRL.URLs
	}
	return ca.NewProfile(name, c)
}

// ProfileConfigs returns the profiles that are listed, as they are written.
func (s *Settings) ProfileConfigs() map[string]ca.ProfileConfig {
	all := make(map[string]ca.ProfileConfig, len(s.Profiles))
	for name, listed := range s.Profiles {
		all[name] = listed.ProfileConfig
	}
	return all
}

// UnknownProfileError is returned when the configuration has no profile of a name.
type UnknownProfileError struct {
	Name  string
	Known []string // the profiles that there are, sorted
	Label string   // of server.est that names it; empty for another place
}

func (e *UnknownProfileError) Error() string {
	return fmt.Sprintf("there is no profile %q in the configuration", e.Name)
}

// SuccessorProfile returns the profile by which the successor of a certificate is issued: the one
// that is chosen or, when that is empty, the one by which the certificate was issued. The error is a
// *GoneProfileError when that is gone.
func (s *Settings) SuccessorProfile(chosen, subject, before string) (*ca.Profile, error) {
	profile, err := s.Profile(cmp.Or(chosen, before))
	unknown, ok := errors.AsType[*UnknownProfileError](err)
	if !ok || chosen != "" || before == "" {
		return profile, err
	}
	return nil, &GoneProfileError{Subject: subject, File: s.file, Err: unknown}
}

// GoneProfileError is returned when the profile by which a certificate was issued is not in the
// configuration any more.
type GoneProfileError struct {
	Subject string
	File    string // the configuration; empty where there is none
	Err     *UnknownProfileError
}

func (e *GoneProfileError) Error() string {
	return fmt.Sprintf("%q was issued by the profile %q, which is gone from %s", e.Subject, e.Err.Name, cmp.Or(e.File, "the configuration"))
}

func (e *GoneProfileError) Unwrap() error { return e.Err }
