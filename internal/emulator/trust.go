package emulator

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kedge/internal/emulator/wire"
)

// What AssumeRole holds against the role's trust policy, and the policies that come with it.

func notAuthorized(who *principal, action, role, why string, args ...any) *wire.Error {
	return accessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", who.ARN, action, role), why, args...)
}

// checkTrust: the external id, and what the trust policy must allow besides sts:AssumeRole: tags
// that are passed or inherited want sts:TagSession, and a source identity, which stays for the
// whole chain, sts:SetSourceIdentity (IAM guide, "Pass session tags in AWS STS" and "Monitor and
// control actions taken with assumed roles").
func checkTrust(who *principal, role Role, parameters wire.Parameters, tags *tagSet, identity string) *wire.Error {
	external := parameters["ExternalId"]
	if external != "" {
		switch n := utf8.RuneCountInString(external); {
		case n < 2:
			return wire.ForQuery(wire.Constraint("externalId", external, "have length greater than or equal to 2"))
		case n > 1224:
			return wire.ForQuery(wire.Constraint("externalId", external, "have length less than or equal to 1224"))
		case !regexp.MustCompile(`^[\w+=,.@:\/-]*$`).MatchString(external):
			return wire.ForQuery(wire.Constraint("externalId", external, `satisfy regular expression pattern: [\w+=,.@:\/-]*`))
		}
	}
	allows := func(action string) bool { return len(role.Actions) == 0 || slices.Contains(role.Actions, action) }
	switch {
	case role.ExternalID != "" && subtle.ConstantTimeCompare([]byte(role.ExternalID), []byte(external)) != 1:
		return notAuthorized(who, "sts:AssumeRole", role.ARN, "its trust policy wants another external id than %q", external)
	case !allows("sts:AssumeRole"):
		return notAuthorized(who, "sts:AssumeRole", role.ARN, "its trust policy does not allow it")
	case len(tags.values) > 0 && !allows("sts:TagSession"):
		return notAuthorized(who, "sts:TagSession", role.ARN, "there are tags, and its trust policy does not allow it")
	case identity != "" && !allows("sts:SetSourceIdentity"):
		return notAuthorized(who, "sts:SetSourceIdentity", role.ARN, "the source identity is %q, and its trust policy does not allow it", identity)
	}
	return nil
}

const (
	maxSessionPolicy = 2048
	maxPolicyARNs    = 10
)

// checkPolicies: STS reference, AssumeRole, Policy and PolicyArns.
func checkPolicies(parameters wire.Parameters) *wire.Error {
	if policy, ok := parameters["Policy"]; ok {
		switch {
		case policy == "":
			return wire.ForQuery(wire.Constraint("policy", policy, "have length greater than or equal to 1"))
		case utf8.RuneCountInString(policy) > maxSessionPolicy:
			return wire.ForQuery(wire.Constraint("policy", "…", "have length less than or equal to 2048"))
		}
		var document struct{ Version, Statement any }
		if json.Unmarshal([]byte(policy), &document) != nil || document.Statement == nil {
			return wire.NewError(http.StatusBadRequest, "MalformedPolicyDocument", "Syntax errors in policy.", "no JSON with a Statement")
		}
	}
	arns, refusal := parameters.Members("PolicyArns", "arn")
	if refusal != nil {
		return refusal
	}
	if len(arns) > maxPolicyARNs {
		return wire.ForQuery(wire.Constraint("policyArns", "…", "have length less than or equal to 10"))
	}
	for _, policy := range arns {
		if parts := strings.SplitN(policy["arn"], ":", 6); len(parts) != 6 || parts[2] != "iam" || !strings.HasPrefix(parts[5], "policy/") {
			return wire.NewError(http.StatusBadRequest, "ValidationError", fmt.Sprintf("Invalid ARN: %s", policy["arn"]), "not a managed policy")
		}
	}
	return nil
}
