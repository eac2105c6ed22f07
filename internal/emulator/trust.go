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
)

// What AssumeRole holds against the role's trust policy, and the policies that come with it.

func notAuthorized(who *principal, action, role, why string, args ...any) *apiError {
	return accessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", who.arn, action, role), why, args...)
}

// checkTrust: the external id, and what the trust policy must allow besides sts:AssumeRole: tags
// that are passed or inherited want sts:TagSession, and a source identity, which stays for the
// whole chain, sts:SetSourceIdentity (IAM guide, "Pass session tags in AWS STS" and "Monitor and
// control actions taken with assumed roles").
func checkTrust(who *principal, role Role, parameters map[string]string, tags *tagSet, identity string) *apiError {
	external := parameters["ExternalId"]
	if external != "" {
		switch n := utf8.RuneCountInString(external); {
		case n < 2:
			return stsInvalid(constraint("externalId", external, "have length greater than or equal to 2"))
		case n > 1224:
			return stsInvalid(constraint("externalId", external, "have length less than or equal to 1224"))
		case !regexp.MustCompile(`^[\w+=,.@:\/-]*$`).MatchString(external):
			return stsInvalid(constraint("externalId", external, `satisfy regular expression pattern: [\w+=,.@:\/-]*`))
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
func checkPolicies(parameters map[string]string) *apiError {
	if policy, ok := parameters["Policy"]; ok {
		switch {
		case policy == "":
			return stsInvalid(constraint("policy", policy, "have length greater than or equal to 1"))
		case utf8.RuneCountInString(policy) > maxSessionPolicy:
			return stsInvalid(constraint("policy", "…", "have length less than or equal to 2048"))
		}
		var document struct{ Version, Statement any }
		if json.Unmarshal([]byte(policy), &document) != nil || document.Statement == nil {
			return stsRefusal(http.StatusBadRequest, "MalformedPolicyDocument", "Syntax errors in policy.", "no JSON with a Statement")
		}
	}
	arns, refusal := members(parameters, "PolicyArns", "arn")
	if refusal != nil {
		return refusal
	}
	if len(arns) > maxPolicyARNs {
		return stsInvalid(constraint("policyArns", "…", "have length less than or equal to 10"))
	}
	for _, arn := range arns {
		if parts := strings.SplitN(arn["arn"], ":", 6); len(parts) != 6 || parts[2] != "iam" || !strings.HasPrefix(parts[5], "policy/") {
			return stsRefusal(http.StatusBadRequest, "ValidationError", fmt.Sprintf("Invalid ARN: %s", arn["arn"]), "not a managed policy")
		}
	}
	return nil
}

// members reads a list of the query protocol: NAME.member.1.FIELD, NAME.member.2.FIELD and so on
// (Smithy, "AWS query protocol"). A field that is not there is missing in the map.
func members(parameters map[string]string, name string, fields ...string) ([]map[string]string, *apiError) {
	prefix, count := name+".member.", 0
	for key := range parameters {
		if strings.HasPrefix(key, prefix) {
			count++
		}
	}
	var all []map[string]string
	for n := 1; count > 0; n++ {
		item := map[string]string{}
		for _, field := range fields {
			key := fmt.Sprintf("%s%d", prefix, n)
			if field != "" {
				key += "." + field
			}
			if value, ok := parameters[key]; ok {
				item[field] = value
				count--
			}
		}
		if len(item) == 0 {
			return nil, stsRefusal(http.StatusBadRequest, "MalformedInput", "The list "+name+" has a gap or an unknown member", "")
		}
		all = append(all, item)
	}
	return all, nil
}
