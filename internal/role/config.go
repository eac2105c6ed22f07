package role

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"kedge/internal/config"
	"kedge/signer/session"
)

// Config is a role that is wanted, and how to get it: checked as far as that needs no key, no file and
// no network. It does not change.
type Config struct {
	settings Settings
	keys     *config.Keys
	session  session.Config // but for what is of the process
	chain    session.ChainConfig
	bundle   config.Bundle
}

// NewConfig checks the settings. From the environment it takes what no flag gives: the proxy, the CA bundle
// and what leads to hardware. It opens nothing. The error is a *config.FlagError or a *MissingError.
func NewConfig(s Settings, env config.Environment) (*Config, error) {
	c := &Config{settings: s}
	c.settings.KeyFlags.Environment = env
	var err error
	if c.keys, err = config.NewKeys(c.settings.KeyFlags); err != nil {
		return nil, err
	}
	if err := s.checkNeeded(); err != nil {
		return nil, err
	}
	if err := s.checkNumbers(); err != nil {
		return nil, err
	}
	if c.session, err = s.session(env); err != nil {
		return nil, err
	}
	if c.bundle, err = config.CABundle(s.CABundle, env); err != nil {
		return nil, err
	}
	c.chain, err = s.chain()
	return c, err
}

// Settings are what the role was made of.
func (c *Config) Settings() *Settings { return &c.settings }

// MissingError reports which flags a role needs that were not given.
type MissingError struct{ Flags []string }

func (e *MissingError) Error() string { return "missing --" + strings.Join(e.Flags, ", --") }

func (s *Settings) checkNeeded() error {
	var missing []string
	for _, n := range s.needed() {
		if n.value == "" {
			missing = append(missing, n.flag)
		}
	}
	if missing == nil {
		return nil
	}
	return &MissingError{missing}
}

// checkNumbers checks what session.New would not.
func (s *Settings) checkNumbers() error {
	switch {
	case s.Timeout <= 0:
		return flagErrorf("timeout", "it must be more than zero, not %s", s.Timeout)
	case s.Attempts < 1:
		return flagErrorf("max-attempts", "%d attempts: there can be 1 to 10", s.Attempts)
	case s.Seconds < 900 || s.Seconds > 43200: // for session.Config, zero is the default and too many overflow
		return flagErrorf("session-duration", "a session lasts 900 to 43200 seconds, not %d", s.Seconds)
	}
	return nil
}

func (s *Settings) session(env config.Environment) (session.Config, error) {
	proxy, err := config.Proxy(s.Proxy, config.ReadProxyVariables(env.Lookup))
	return session.Config{
		TrustAnchorARN:     s.TrustAnchor,
		ProfileARN:         s.Profile,
		RoleARN:            s.Role,
		Duration:           time.Duration(s.Seconds) * time.Second,
		RoleSessionName:    s.SessionName,
		Region:             s.Region,
		Endpoint:           s.Endpoint,
		FIPS:               s.FIPS,
		DualStack:          s.DualStack,
		Proxy:              proxy,
		InsecureSkipVerify: s.NoVerify,
		Timeout:            s.Timeout,
		MaxAttempts:        s.Attempts,
	}, err
}

func flagErrorf(flag, format string, args ...any) error {
	return &config.FlagError{Flag: flag, Err: fmt.Errorf(format, args...)}
}

// ARNError is a flag whose ARN cannot be one. It shows what it looks like.
type ARNError struct {
	Flag, Example string
	Err           *session.ARNError
}

func (e *ARNError) Error() string { return e.Err.Error() } // it says whose ARN it is

// Unwrap returns what is wrong with it.
func (e *ARNError) Unwrap() error { return e.Err }

// refused names the flag of what session.New and session.NewChain refuse.
func (s *Settings) refused(err error) error {
	if arn, ok := errors.AsType[*session.ARNError](err); ok && arn.Field != "AssumeRoleARN" {
		return &ARNError{Flag: flagOf(arn.Field), Example: s.exampleARN(arn.Field), Err: arn}
	} else if ok {
		return &config.FlagError{Flag: flagOf(arn.Field), Err: arn}
	}
	if field, ok := errors.AsType[*session.ConfigError](err); ok {
		return &config.FlagError{Flag: flagOf(field.Field), Err: err}
	}
	return err
}

// exampleARN shows the ARN of a field, where the trust anchor is if its ARN tells.
func (s *Settings) exampleARN(field string) string {
	anchor, err := session.ParseARN(s.TrustAnchor)
	if err != nil || anchor.Region == "" || anchor.Account == "" {
		anchor = session.ARN{Partition: "aws", Region: "eu-west-1", Account: "111122223333"}
	}
	anchor.Service, anchor.Resource = "rolesanywhere", "trust-anchor/<id>"
	switch field {
	case "ProfileARN":
		anchor.Resource = "profile/<id>"
	case "RoleARN":
		anchor.Service, anchor.Region, anchor.Resource = "iam", "", "role/<name>"
	}
	return anchor.String()
}

// flagOf names the flag that sets a field of session.Config, AssumeConfig or ChainConfig.
func flagOf(field string) string {
	flag, named := map[string]string{
		"TrustAnchorARN": "trust-anchor-arn", "ProfileARN": "profile-arn", "RoleARN": "role-arn", "Duration": "session-duration",
		"RoleSessionName": "role-session-name", "DualStack": "dual-stack", "MaxAttempts": "max-attempts",
		"AssumeRoleARN": "assume-role-arn", "AssumeEndpoint": "sts-endpoint", "AssumeDuration": "assume-role-duration", "AssumeSessionName": "assume-role-session-name",
		"AssumeExternalID": "external-id", "AssumePolicy": "policy", "AssumePolicyARN": "policy-arn", "AssumeTag": "tag",
	}[field]
	switch {
	case named:
		return flag
	case strings.HasPrefix(field, "Assume"):
		return "assume-role-arn"
	}
	return strings.ToLower(field) // Region, Endpoint, FIPS, Timeout
}
