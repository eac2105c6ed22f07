package role

import (
	"strings"
	"time"

	"kedge/internal/config"
	"kedge/signer/session"
)

// chain is what the settings say of each role to assume. Sessions in between live as short as can be;
// what the last session may do, and for how long, is the last role's.
func (s *Settings) chain() (session.ChainConfig, error) {
	if err := s.checkChain(); err != nil || len(s.Assumed) == 0 {
		return session.ChainConfig{}, err
	}
	lasting, err := parseTags("transitive-tag", s.Lasting)
	if err != nil {
		return session.ChainConfig{}, err
	}
	tags, err := parseTags("tag", s.Tags)
	if err != nil {
		return session.ChainConfig{}, err
	}
	cfg := session.ChainConfig{Endpoint: s.STSEndpoint}
	for i, arn := range s.Assumed {
		one := session.AssumeConfig{RoleARN: arn, SessionName: s.AssumeName, Duration: 900 * time.Second}
		if len(s.ExternalIDs) == len(s.Assumed) {
			one.ExternalID = s.ExternalIDs[i]
		}
		if i == 0 {
			one.Tags = lasting
		}
		cfg.Roles = append(cfg.Roles, one)
	}
	last := &cfg.Roles[len(cfg.Roles)-1]
	last.Duration = time.Duration(s.lastSeconds()) * time.Second
	last.Policy, last.PolicyARNs = s.Policy, s.PolicyARNs
	last.Tags = append(last.Tags, tags...)
	if len(s.ExternalIDs) == 1 {
		last.ExternalID = s.ExternalIDs[0]
	}
	return cfg, nil
}

// checkChain refuses what has nothing to belong to, and what session.NewChain would not refuse.
func (s *Settings) checkChain() error {
	if len(s.Assumed) == 0 {
		for _, flag := range [...]string{"external-id", "assume-role-session-name", "assume-role-duration", "policy", "policy-arn", "tag", "transitive-tag"} {
			if s.given(flag) {
				return flagErrorf(flag, "it is for --assume-role-arn, which is missing")
			}
		}
		return nil
	}
	if n := len(s.ExternalIDs); n > 1 && n != len(s.Assumed) {
		return flagErrorf("external-id", "%d external ids for %d roles: give one, or one for each", n, len(s.Assumed))
	}
	if s.given("assume-role-duration") && (s.AssumeSeconds < 900 || s.AssumeSeconds > MaxChained) {
		return flagErrorf("assume-role-duration", "a role that is assumed with another role's session is given 900 to 3600 seconds, not %d", s.AssumeSeconds)
	}
	return nil
}

func (s *Settings) lastSeconds() int {
	if s.AssumeSeconds != 0 {
		return s.AssumeSeconds
	}
	return min(s.Seconds, MaxChained)
}

func parseTags(flag string, values []string) ([]session.Tag, error) {
	var tags []session.Tag
	for _, text := range values {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" {
			return nil, flagErrorf(flag, "%q is not KEY=VALUE", text)
		}
		tags = append(tags, session.Tag{Key: key, Value: value, Transitive: flag == "transitive-tag"})
	}
	return tags, nil
}

// ReadPolicy reads the file of --policy, for Chain.Policy. It is read where it is used: without roles to
// assume there is none. The error is a *config.FlagError.
func ReadPolicy(path string, assumed []string) (string, error) {
	if len(assumed) == 0 {
		return "", nil
	}
	return config.Policy(path)
}
