package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/config"
	"kedge/signer/session"
)

// maxChained is the longest session of a role that a role's session assumes, in seconds.
const maxChained = 3600

// chainFlags say which roles to assume after CreateSession.
type chainFlags struct {
	assumed        texts
	externalIDs    texts
	assumeName     string
	assumeSeconds  int
	policy         string
	policyARNs     texts
	tags, lasting  texts
	stsEndpoint    string
	policyDocument string // that policy names
	chainConfig    session.ChainConfig
	chainRefused   func(error) error
}

func (f *chainFlags) add(flags *pflag.FlagSet) {
	flags.Var(&f.assumed, "assume-role-arn", "role to assume with the session; again for one to assume from there, and so on")
	flags.Var(&f.externalIDs, "external-id", "external id for the last role; or one for each role in order, empty for none")
	flags.StringVar(&f.assumeName, "assume-role-session-name", "", "name of the assumed roles' sessions (default: that of the first session)")
	flags.IntVar(&f.assumeSeconds, "assume-role-duration", 0, "length of the last role's session in seconds, 900 to 3600 (default: --session-duration, if that is not longer)")
	flags.StringVar(&f.policy, "policy", "", "file with a session policy in JSON that limits the last role: PATH or env:NAME")
	flags.Var(&f.policyARNs, "policy-arn", "managed policy that limits the last role; can be given several times")
	flags.Var(&f.tags, "tag", "session tag of the last role, as KEY=VALUE; can be given several times")
	flags.Var(&f.lasting, "transitive-tag", "session tag from the first assumed role on, as KEY=VALUE, which later sessions keep")
	flags.StringVar(&f.stsEndpoint, "sts-endpoint", "", "URL of STS for --assume-role-arn (default: the region's)")
}

// checkChain reads the policy, and refuses what has nothing to belong to.
func (f *chainFlags) checkChain(cmd *cobra.Command) (err error) {
	if len(f.assumed) == 0 {
		for _, flag := range [...]string{"external-id", "assume-role-session-name", "assume-role-duration", "policy", "policy-arn", "tag", "transitive-tag"} {
			if cmd.Flags().Changed(flag) {
				return badValue(cmd, flag, errors.New("it is for --assume-role-arn, which is missing"))
			}
		}
		return nil
	}
	if n := len(f.externalIDs); n > 1 && n != len(f.assumed) {
		return badValue(cmd, "external-id", fmt.Errorf("%d external ids for %d roles: give one, or one for each", n, len(f.assumed)))
	}
	if cmd.Flags().Changed("assume-role-duration") && (f.assumeSeconds < 900 || f.assumeSeconds > maxChained) {
		return badValue(cmd, "assume-role-duration", fmt.Errorf("a role that is assumed with another role's session is given 900 to 3600 seconds, not %d", f.assumeSeconds))
	}
	f.policyDocument, err = config.Policy(f.policy)
	return usage(cmd, err)
}

// hops is what the flags say of each role. Sessions in between live as short as can be; what the
// last session may do, and for how long, is the last role's.
func (f *chainFlags) hops(cmd *cobra.Command, sessionSeconds int) (session.ChainConfig, error) {
	lasting, err := parseTags(cmd, "transitive-tag", f.lasting)
	if err != nil {
		return session.ChainConfig{}, err
	}
	tags, err := parseTags(cmd, "tag", f.tags)
	if err != nil {
		return session.ChainConfig{}, err
	}
	cfg := session.ChainConfig{Endpoint: f.stsEndpoint}
	for i, arn := range f.assumed {
		role := session.AssumeConfig{RoleARN: arn, SessionName: f.assumeName, Duration: 900 * time.Second}
		if len(f.externalIDs) == len(f.assumed) {
			role.ExternalID = f.externalIDs[i]
		}
		if i == 0 {
			role.Tags = lasting
		}
		cfg.Roles = append(cfg.Roles, role)
	}
	last := &cfg.Roles[len(cfg.Roles)-1]
	last.Duration = time.Duration(f.lastSeconds(sessionSeconds)) * time.Second
	last.Policy, last.PolicyARNs = f.policyDocument, f.policyARNs
	last.Tags = append(last.Tags, tags...)
	if len(f.externalIDs) == 1 {
		last.ExternalID = f.externalIDs[0]
	}
	return cfg, nil
}

func (f *chainFlags) lastSeconds(sessionSeconds int) int {
	if f.assumeSeconds != 0 {
		return f.assumeSeconds
	}
	return min(sessionSeconds, maxChained)
}

func parseTags(cmd *cobra.Command, flag string, values []string) ([]session.Tag, error) {
	var tags []session.Tag
	for _, text := range values {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" {
			return nil, badValue(cmd, flag, fmt.Errorf("%q is not KEY=VALUE", text))
		}
		tags = append(tags, session.Tag{Key: key, Value: value, Transitive: flag == "transitive-tag"})
	}
	return tags, nil
}

// configureChain checks what session.NewChain would not.
func (f *chainFlags) configureChain(cmd *cobra.Command, sessionSeconds int) (err error) {
	if err := f.checkChain(cmd); err != nil || len(f.assumed) == 0 {
		return err
	}
	f.chainRefused = func(err error) error { return refusedChain(cmd, err) }
	f.chainConfig, err = f.hops(cmd, sessionSeconds)
	return err
}

// chain makes the chain that begins with c, and checks the rest of the flags with that; it is nil
// without roles to assume.
func (f *chainFlags) chain(c *session.Client) (*session.Chain, error) {
	if len(f.assumed) == 0 {
		return nil, nil
	}
	chain, err := session.NewChain(c, f.chainConfig)
	return chain, f.chainRefused(err)
}

// refusedChain makes usage errors of what session.NewChain refuses, and names the flag.
func refusedChain(cmd *cobra.Command, err error) error {
	if arn, ok := errors.AsType[*session.ARNError](err); ok {
		return badValue(cmd, "assume-role-arn", arn)
	}
	if field, ok := errors.AsType[*session.ConfigError](err); ok {
		return badValue(cmd, chainFlagOf(field.Field), err)
	}
	return err
}

// plainChain tells that STS is not asked, or not with TLS.
func (f *chainFlags) plainChain() bool {
	return len(f.assumed) == 0 || strings.HasPrefix(f.stsEndpoint, "http://")
}

// chainFlagOf names the flag that sets a field of session.AssumeConfig or ChainConfig.
func chainFlagOf(field string) string {
	switch field {
	case "AssumeEndpoint":
		return "sts-endpoint"
	case "AssumeDuration":
		return "assume-role-duration"
	case "AssumeSessionName":
		return "assume-role-session-name"
	case "AssumeExternalID":
		return "external-id"
	case "AssumePolicy":
		return "policy"
	case "AssumePolicyARN":
		return "policy-arn"
	case "AssumeTag":
		return "tag"
	}
	return "assume-role-arn"
}

// chainKey tells apart credentials of chains for the cache: what is asked for, role by role, and
// which role they are of in the end.
func (f *chainFlags) chainKey() (more []string, final string) {
	if len(f.assumed) == 0 {
		return nil, ""
	}
	more = []string{f.stsEndpoint}
	for _, role := range f.chainConfig.Roles {
		data, _ := json.Marshal(role) // of texts and numbers alone
		more, final = append(more, string(data)), role.RoleARN
	}
	return more, final
}
