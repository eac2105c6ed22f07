package session

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// AssumeConfig specifies which role to assume, and what its session is to be. What is left out, STS
// decides.
//
// Source of all limits: STS API Reference, "AssumeRole".
type AssumeConfig struct {
	RoleARN string // required

	// SessionName is 2 to 64 of [A-Za-z0-9_+=,.@-]. By default it is that of the session before,
	// so that CloudTrail shows one name for all of them.
	SessionName string

	// Duration is whole seconds from 15 minutes to 1 hour, which is also the default. A role that is
	// assumed with the session of a role cannot last longer, whatever the role allows (IAM User
	// Guide, "Role chaining").
	Duration time.Duration

	// ExternalID is what the role's trust policy asks for as sts:ExternalId.
	ExternalID string

	// Policy is the JSON of a session policy, of 2048 characters at most, and PolicyARNs are up to
	// 10 managed policies: the session can do what they and the role allow.
	Policy     string
	PolicyARNs []string

	// Tags of the session, up to 50.
	Tags []Tag
}

// Tag is a session tag. A transitive one is passed on to the sessions that are made with this one.
type Tag struct {
	Key, Value string
	Transitive bool
}

const (
	maxChained    = time.Hour
	maxPolicy     = 2048
	maxPolicyARNs = 10
	maxTags       = 50
)

func (cfg AssumeConfig) check() error {
	name, d := cfg.SessionName, cfg.Duration
	switch {
	case d > maxChained:
		return wrong("AssumeDuration", "a session of a role that another role's session assumes lasts at most 3600 seconds, not %g", d.Seconds())
	case d != 0 && d < minDuration:
		return wrong("AssumeDuration", "a session lasts at least 900 seconds, not %g", d.Seconds())
	case d%time.Second != 0:
		return wrong("AssumeDuration", "a session lasts whole seconds, not %g", d.Seconds())
	case name != "" && (len(name) < 2 || len(name) > 64):
		return wrong("AssumeSessionName", "session name %q has %d characters: it must have 2 to 64", brief(name), len(name))
	case !isSTSName(name):
		return wrong("AssumeSessionName", "session name %q has a character other than letters, digits and _+=,.@-", name)
	}
	if problem := badExternalID(cfg.ExternalID); problem != "" {
		return wrong("AssumeExternalID", "external id %q %s", brief(cfg.ExternalID), problem)
	}
	if err := cfg.checkPolicies(); err != nil {
		return err
	}
	return checkTags(cfg.Tags)
}

func badExternalID(id string) string {
	switch {
	case id == "":
		return ""
	case len(id) < 2 || len(id) > 1224:
		return fmt.Sprintf("has %d characters: it must have 2 to 1224", len(id))
	case !isSTSName(strings.NewReplacer(":", "", "/", "").Replace(id)):
		return "has a character other than letters, digits and _+=,.@:/-"
	}
	return ""
}

func (cfg AssumeConfig) checkPolicies() error {
	switch n := utf8.RuneCountInString(cfg.Policy); {
	case n > maxPolicy:
		return wrong("AssumePolicy", "the session policy has %d characters: it can have %d", n, maxPolicy)
	case cfg.Policy != "" && !json.Valid([]byte(cfg.Policy)):
		return wrong("AssumePolicy", "the session policy is not JSON")
	case len(cfg.PolicyARNs) > maxPolicyARNs:
		return wrong("AssumePolicyARN", "%d managed policies: there can be %d", len(cfg.PolicyARNs), maxPolicyARNs)
	}
	for _, arn := range cfg.PolicyARNs {
		// Managed policies of AWS have "aws" for an account, which ParseARN does not take.
		parts := strings.SplitN(arn, ":", arnParts)
		if badlyPasted(arn) != "" || len(parts) != arnParts || parts[0] != "arn" || parts[2] != "iam" || !strings.HasPrefix(parts[5], "policy/") {
			return wrong("AssumePolicyARN", "%q is not the ARN of a managed policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess", brief(arn))
		}
	}
	return nil
}

// checkTags. Source also: IAM User Guide, "Pass session tags in AWS STS": keys that differ in case
// alone are the same, and those of AWS begin with aws:.
func checkTags(tags []Tag) error {
	if len(tags) > maxTags {
		return wrong("AssumeTag", "%d tags: there can be %d", len(tags), maxTags)
	}
	seen := map[string]bool{}
	for _, tag := range tags {
		key := strings.ToLower(tag.Key)
		switch keyLength, valueLength := utf8.RuneCountInString(tag.Key), utf8.RuneCountInString(tag.Value); {
		case keyLength < 1 || keyLength > 128:
			return wrong("AssumeTag", "the key of tag %q has %d characters: it must have 1 to 128", brief(tag.Key), keyLength)
		case valueLength > 256:
			return wrong("AssumeTag", "the value of tag %q has %d characters: it can have 256", brief(tag.Key), valueLength)
		case strings.ContainsFunc(tag.Key+tag.Value, outsideTagAlphabet):
			return wrong("AssumeTag", "tag %q has a character other than letters, digits, spaces and _.:/=+-@", brief(tag.Key))
		case strings.HasPrefix(key, "aws:"):
			return wrong("AssumeTag", "tag %q begins with aws:, as only those of AWS do", brief(tag.Key))
		case seen[key]:
			return wrong("AssumeTag", "tag %q is there twice; upper and lower case are the same", brief(tag.Key))
		}
		seen[key] = true
	}
	return nil
}

// outsideTagAlphabet is the complement of [\p{L}\p{Z}\p{N}_.:/=+\-@].
func outsideTagAlphabet(r rune) bool {
	return r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.In(r, unicode.Z) && !strings.ContainsRune("_.:/=+-@", r)
}

// body is the form that is posted.
func (cfg AssumeConfig) body() []byte {
	form := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"},
		"RoleArn": {cfg.RoleARN}, "RoleSessionName": {cfg.SessionName},
	}
	if cfg.Duration != 0 {
		form.Set("DurationSeconds", strconv.Itoa(int(cfg.Duration/time.Second)))
	}
	if cfg.ExternalID != "" {
		form.Set("ExternalId", cfg.ExternalID)
	}
	if cfg.Policy != "" {
		form.Set("Policy", cfg.Policy)
	}
	for i, arn := range cfg.PolicyARNs {
		form.Set(fmt.Sprintf("PolicyArns.member.%d.arn", i+1), arn)
	}
	transitive := 0
	for i, tag := range cfg.Tags {
		form.Set(fmt.Sprintf("Tags.member.%d.Key", i+1), tag.Key)
		form.Set(fmt.Sprintf("Tags.member.%d.Value", i+1), tag.Value)
		if tag.Transitive {
			transitive++
			form.Set(fmt.Sprintf("TransitiveTagKeys.member.%d", transitive), tag.Key)
		}
	}
	return []byte(form.Encode())
}
