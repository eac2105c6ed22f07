package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/role"
	"kedge/internal/settings"
)

// Configuration is what came of reading the flags, the environment and the configuration file.
type Configuration struct {
	File     string   // that was read; empty: none
	Profile  string   // chosen in it; empty: none
	Profiles []string // that it has
	Taken    string   // the Name of the Default that was examined; empty: none
	Fault    Part     // where Err is; zero: there is none
	Err      error
}

// Part is a part of a configuration.
type Part int

// The parts, in the order in which they are read.
const (
	Sound    Part = iota // all of it could be read
	File                 // the file itself
	Profile              // the profile that was chosen
	Names                // the names and values of the settings
	Together             // settings that exclude each other, or that this build cannot follow
)

// The IDs of the checks of settings, on which others depend.
const (
	idFile     = "configuration-file"
	idProfile  = "configuration-profile"
	idNames    = "settings-names"
	idTogether = "settings-together"
	idKeys     = "key-settings"
	idNeeded   = "settings-needed"
	idARNs     = "arns"
	idEndpoint = "region-endpoint"
	idSettings = "session-settings"
	idChain    = "chain-settings"
	idProxy    = "proxy-setting"
)

func settingsSteps() []step {
	return []step{
		{idFile, "configuration file", "", func(e *Examination, _ context.Context) *Finding { return e.judgePart(File) }},
		{idProfile, "profile", idFile, func(e *Examination, _ context.Context) *Finding { return e.judgePart(Profile) }},
		{idNames, "names of settings", idProfile, func(e *Examination, _ context.Context) *Finding { return e.judgePart(Names) }},
		{idTogether, "settings together", idNames, func(e *Examination, _ context.Context) *Finding { return e.judgePart(Together) }},
		{idKeys, "key and certificate settings", idTogether, (*Examination).judgeKeys},
		{idNeeded, "needed settings", idTogether, (*Examination).judgeNeeded},
		{idARNs, "ARNs", idNeeded, (*Examination).judgeARNs},
		{idEndpoint, "region and endpoint", idARNs, (*Examination).judgeEndpoint},
		{idSettings, "session settings", idNeeded, (*Examination).judgeSession},
		{idChain, "assumed roles", idARNs, (*Examination).judgeChain},
		{idProxy, "proxy setting", idKeys + " " + idEndpoint + " " + idSettings + " " + idChain, (*Examination).judgeProxy},
	}
}

// judgePart judges one part of the configuration.
func (e *Examination) judgePart(p Part) *Finding {
	c := e.Configuration
	if c.Fault == p {
		return c.fault(e.Advise)
	}
	switch {
	case p == File && c.File == "":
		return ok("there is none: flags and variables alone count")
	case p == File:
		return ok(c.File)
	case p == Profile && c.Profile == "" && len(c.Profiles) > 0:
		return ok("none is chosen, of " + strings.Join(c.Profiles, ", "))
	case p == Profile && c.Profile == "":
		return ok("none is chosen")
	case p == Profile:
		return ok(fmt.Sprintf("%q", c.Profile))
	case p == Names:
		return ok("all are known, with values of their kind")
	}
	return ok("none excludes another")
}

// fault is the finding for the part that is wrong.
func (c Configuration) fault(advise Adviser) *Finding {
	f := advise.failure(c.Err)
	f.Code = cli.ExitUsage
	if unsafe, isUnsafe := errors.AsType[*settings.UnsafeError](c.Err); isUnsafe {
		return f.run("chmod go-w %s", unsafe.File)
	}
	switch {
	case c.Fault == Profile && len(c.Profiles) > 0:
		return f.run("kedge doctor --config %s --profile %s", c.File, c.Profiles[0])
	case c.Fault == Names && c.File != "":
		return f.run("kedge config check --config %s", c.File)
	}
	return f
}

// placeholder is a certificate for judging settings that have nothing to do with it.
const placeholder = "file:certificate"

// with returns settings that name the three ARNs and no others, which then sets; so each kind of setting is
// judged apart, by the function that judges all of them.
func (e *Examination) with(set func(s *role.Settings)) error {
	c, err := e.configWith(set)
	if err != nil {
		return err
	}
	return c.Check()
}

// configWith is the configuration of the three ARNs, and of what is set.
func (e *Examination) configWith(set func(s *role.Settings)) (*role.Config, error) {
	s := role.Settings{
		KeyFlags: config.KeyFlags{Certificate: placeholder},
		Role:     e.Settings.Role, Profile: e.Settings.Profile, TrustAnchor: e.Settings.TrustAnchor,
		Seconds: 3600, Timeout: e.Limits.Session, Attempts: 1,
	}
	set(&s)
	return role.NewConfig(s, nil)
}

// wrong is the finding for a setting, unless there is no error; seen is what is reported then.
func (e *Examination) wrong(err error, seen string) *Finding {
	if err == nil {
		return ok(seen)
	}
	f := e.Advise.failure(err)
	f.Code = cli.ExitUsage
	return f
}

func (e *Examination) judgeKeys(context.Context) *Finding {
	_, err := config.NewKeys(e.Settings.KeyFlags)
	return e.wrong(err, "each names a file, a variable, a descriptor or hardware")
}

func (e *Examination) judgeNeeded(context.Context) *Finding {
	s := &e.Settings
	_, err := role.NewConfig(role.Settings{
		KeyFlags: config.KeyFlags{Certificate: s.Certificate}, Role: s.Role, Profile: s.Profile, TrustAnchor: s.TrustAnchor,
		Seconds: 3600, Timeout: e.Limits.Session, Attempts: 1,
	}, nil)
	if !errors.As(err, new(*role.MissingError)) {
		seen := "--certificate, --trust-anchor-arn, --profile-arn and --role-arn are there"
		if e.Configuration.Taken != "" {
			seen += ", from " + e.Configuration.Taken
		}
		return ok(seen)
	}
	f := e.wrong(err, "")
	if names := e.Configuration.Profiles; e.Configuration.Profile == "" && len(names) > 0 {
		f.Advice = "choose a profile of " + e.Configuration.File + ": " + strings.Join(names, ", ")
		return f.run("kedge doctor --config %s --profile %s", e.Configuration.File, names[0])
	}
	if flags := e.enrolledFlags(); flags != nil {
		f.Advice = "this host is enrolled: use that identity"
		return f.run("kedge doctor"+strings.Repeat(" %s", len(flags)), flags...)
	}
	return f
}

func (e *Examination) judgeARNs(context.Context) *Finding {
	return e.wrong(e.with(func(*role.Settings) {}), "trust anchor, profile and role fit each other")
}

func (e *Examination) judgeEndpoint(context.Context) *Finding {
	s := &e.Settings
	seen := "those of the trust anchor"
	if s.Endpoint != "" {
		seen = "--endpoint " + s.Endpoint
	}
	f := e.wrong(e.with(func(to *role.Settings) {
		to.Region, to.Endpoint, to.FIPS, to.DualStack, to.NoVerify = s.Region, s.Endpoint, s.FIPS, s.DualStack, s.NoVerify
	}), seen)
	wrongRegion := (&role.RequestError{Region: s.Region, TrustAnchor: s.TrustAnchor}).WrongRegion()
	switch {
	case f.State == OK && s.NoVerify:
		return warning("--no-verify-ssl: the server is not verified", "anyone on the way can take the credentials: name the CA of the server with --ca-bundle instead")
	case f.State == OK && wrongRegion != "":
		return warning(wrongRegion, "leave --region out, unless the endpoint signs for it")
	}
	return f
}

func (e *Examination) judgeSession(context.Context) *Finding {
	s := &e.Settings
	err := e.with(func(to *role.Settings) {
		to.Seconds, to.SessionName, to.Timeout, to.Attempts = s.Seconds, s.SessionName, s.Timeout, s.Attempts
	})
	if errors.As(err, new(*role.ARNError)) { // which another check reports
		err = nil
	}
	name := "named by the certificate's serial number"
	if s.SessionName != "" {
		name = "named " + s.SessionName
	}
	return e.wrong(err, fmt.Sprintf("%d seconds, %s", s.Seconds, name))
}

func (e *Examination) judgeChain(context.Context) *Finding {
	s := &e.Settings
	seen := "none"
	if len(s.Assumed) > 0 {
		seen = strings.Join(s.Assumed, ", then ")
	}
	return e.wrong(e.with(func(to *role.Settings) { to.Seconds, to.Chain = s.Seconds, s.Chain }), seen)
}

// judgeProxy judges the setting, and then all of them together: what is used from here on.
func (e *Examination) judgeProxy(context.Context) *Finding {
	c, err := role.NewConfig(e.Settings, e.Environment)
	if err == nil {
		err = c.Check()
	}
	if err == nil {
		e.role = c
	}
	seen := "none: connections are direct"
	if e.role != nil {
		if _, proxy, err := e.role.Endpoint(); err == nil && proxy != "" {
			seen = "connections go through " + proxy
		}
	}
	return e.wrong(err, seen)
}
