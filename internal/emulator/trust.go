package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// What AssumeRole holds against the role's trust policy, and the policies that come with it.

func notAuthorized(who *principal, action, role, why string, args ...any) *wire.Error {
	return accessDenied(fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", who.ARN, action, role), why, args...)
}

// checkExternalID: STS reference, AssumeRole, ExternalId.
func checkExternalID(external string) *wire.Error {
	if external == "" {
		return nil
	}
	switch n := utf8.RuneCountInString(external); {
	case n < 2:
		return wire.ForQuery(wire.Constraint("externalId", external, "have length greater than or equal to 2"))
	case n > 1224:
		return wire.ForQuery(wire.Constraint("externalId", external, "have length less than or equal to 1224"))
	case strings.ContainsFunc(external, outsideExternalAlphabet):
		return wire.ForQuery(wire.Constraint("externalId", external, `satisfy regular expression pattern: [\w+=,.@:\/-]*`))
	}
	return nil
}

// outsideExternalAlphabet is the complement of [\w+=,.@:\/-], in ASCII.
func outsideExternalAlphabet(r rune) bool { return outsideNameAlphabet(r) && r != ':' && r != '/' }

const (
	maxSessionPolicy = 2048
	maxPolicyARNs    = 10
)

// checkPolicies: STS reference, AssumeRole, Policy and PolicyArns.
func checkPolicies(parameters wire.Parameters) *wire.Error {
	if text, ok := parameters["Policy"]; ok {
		switch {
		case text == "":
			return wire.ForQuery(wire.Constraint("policy", text, "have length greater than or equal to 1"))
		case utf8.RuneCountInString(text) > maxSessionPolicy:
			return wire.ForQuery(wire.Constraint("policy", "…", "have length less than or equal to 2048"))
		}
		if _, err := policy.Parse(policy.Session, []byte(text)); err != nil {
			return malformedPolicy(err)
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

// malformedPolicy returns the error for a policy that package policy refuses.
func malformedPolicy(err error) *wire.Error {
	message := "Syntax errors in policy."
	if wrong, ok := errors.AsType[*policy.MalformedError](err); ok {
		message = wrong.Message
	}
	return wire.NewError(http.StatusBadRequest, "MalformedPolicyDocument", message, "%v", err)
}

// sessionPolicies returns the session policies of a request that checkPolicies has checked.
func sessionPolicies(parameters wire.Parameters) (document string, managed []string) {
	items, _ := parameters.Members("PolicyArns", "arn")
	for _, item := range items {
		managed = append(managed, item["arn"])
	}
	return parameters["Policy"], managed
}
