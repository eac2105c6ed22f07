package main

import (
	"fmt"
	"strings"

	"kedge/signer/session"
)

// chainHint is the advice for what STS says about a role that was to be assumed with the session
// of another. The texts are those of STS; each is searched for by its core.
func chainHint(e *session.APIError) string {
	role := e.RoleARN
	for _, row := range [...]refusal{
		{"AccessDenied", "sts:tagsession", "add sts:TagSession to the actions of the trust policy of " + role + ": tags are passed with --tag or --transitive-tag, or by a session before it"},
		{"AccessDenied", "sts:setsourceidentity", "add sts:SetSourceIdentity to the actions of the trust policy of " + role + ": IAM Roles Anywhere sets a source identity, and every session made with that one keeps it"},
		{"AccessDenied", "sts:assumerole", fmt.Sprintf("the trust policy of %s must allow the role before it sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and its conditions must hold, such as an external id (--external-id); that role needs a policy that allows sts:AssumeRole on %s", role, role)},
		{"", "role chaining", "AWS gives a session that another role's session asks for one hour at most: leave --assume-role-duration out"},
		{"", "maxsessionduration", "lower --assume-role-duration, or raise the maximum session duration of " + role},
		{"MalformedPolicyDocument", "", "correct the file that --policy names: a policy in JSON with Version and Statement"},
		{"PackedPolicyTooLarge", "", "make --policy, --policy-arn and --tag smaller: packed together they are limited, and an inherited tag counts"},
		{"", "conflicts with a transitive tag", "leave that --tag out: a session before it has set it as a transitive one, which cannot be changed"},
		{"RegionDisabled", "", "activate STS in this region for the account, or choose another with --sts-endpoint"},
		{"ExpiredToken", "", "check this host's clock and try again"},
	} {
		if strings.HasPrefix(e.Code, row.code) && strings.Contains(strings.ToLower(e.Message), row.message) {
			return row.hint
		}
	}
	if e.Throttled() {
		return "STS has too many requests from this account: try again later, and keep credentials until they expire"
	}
	return "check --assume-role-arn " + role + " and what goes with it"
}

// chainFlagHint says what a flag about further roles takes; it is empty for others.
func chainFlagHint(flag string) string {
	switch flag {
	case "assume-role-arn":
		return "it looks like arn:aws:iam::111122223333:role/<name>"
	case "assume-role-duration":
		return "write 900 to 3600 or leave it out: AWS gives a session that another role's session asks for one hour at most, whatever the role allows"
	case "tag", "transitive-tag":
		return "write a key and a value, such as team=storage"
	case "sts-endpoint":
		return "write an address such as https://sts.eu-west-1.amazonaws.com, without --fips and --dual-stack"
	}
	return ""
}

// endpoints names both addresses in an advice about one, if two services are asked.
func (e *requestError) endpoints(hint string) string {
	if !e.chained {
		return hint
	}
	return strings.ReplaceAll(hint, "--endpoint", "--endpoint and --sts-endpoint")
}
