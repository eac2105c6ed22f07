package role

import (
	"time"

	"kedge/internal/config"
)

// MaxChained is the longest session of a role that a role's session assumes, in seconds.
const MaxChained = 3600

// Settings say whose credentials of which role are wanted, and how to get them: one field for each flag,
// with its value from the command line, a variable, the configuration or by default. Names are those of
// the flags, as errors name them.
type Settings struct {
	config.KeyFlags

	Role, Profile, TrustAnchor string        // --role-arn, --profile-arn, --trust-anchor-arn
	Seconds                    int           // --session-duration
	SessionName                string        // --role-session-name
	Region, Endpoint           string        //
	NoVerify                   bool          // --no-verify-ssl
	Proxy, CABundle            string        //
	FIPS, DualStack            bool          //
	Timeout                    time.Duration //
	Attempts                   int           // --max-attempts

	Chain
}

// Chain specifies which roles to assume after the first session.
type Chain struct {
	Assumed, ExternalIDs []string // --assume-role-arn, --external-id
	AssumeName           string   // --assume-role-session-name
	AssumeSeconds        int      // --assume-role-duration
	Policy               string   // what is in the file of --policy
	PolicyARNs           []string // --policy-arn
	Tags, Lasting        []string // --tag, --transitive-tag, as KEY=VALUE
	STSEndpoint          string   // --sts-endpoint

	// Given reports whether a flag has a value that is not its default. nil: none has.
	Given func(flag string) bool
}

// given reports whether a flag was given, by its name.
func (c *Chain) given(flag string) bool { return c.Given != nil && c.Given(flag) }

// needed are the settings without which there is no role.
func (s *Settings) needed() []struct{ flag, value string } {
	return []struct{ flag, value string }{
		{"trust-anchor-arn", s.TrustAnchor}, {"profile-arn", s.Profile}, {"role-arn", s.Role}, {"certificate", s.Certificate},
	}
}

// FinalRole is the ARN of the role that the credentials are of.
func (s *Settings) FinalRole() string {
	if n := len(s.Assumed); n > 0 {
		return s.Assumed[n-1]
	}
	return s.Role
}
