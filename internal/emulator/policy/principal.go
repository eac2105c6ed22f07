package policy

import (
	"slices"
	"strings"
)

// PrincipalMatch says how a statement names the principal of a request.
type PrincipalMatch string

// The matches, from none to the most exact.
const (
	NotNamed  PrincipalMatch = ""
	Everyone  PrincipalMatch = "everyone" // "*"
	ByAccount PrincipalMatch = "account"  // it delegates to the account, which must allow it itself
	ByRole    PrincipalMatch = "role"     // a session is named by its role
	ByName    PrincipalMatch = "name"
)

// names returns how one value of a Principal element names a principal (IAMG
// reference_policies_elements_principal). Names are compared with their case. That "*" stands for
// services too is IAMG's "All principals"; with a trust policy nobody shows it.
func names(element string, p Principal) PrincipalMatch {
	kind, name, _ := strings.Cut(element, ":")
	switch {
	case element == "*":
		return Everyone
	case p.Service != "":
		if kind == "Service" && name == p.Service {
			return ByName
		}
		return NotNamed
	case kind != "AWS":
		return NotNamed
	case name == p.ARN:
		return ByName
	case name == p.Role && p.Role != "":
		return ByRole
	case p.account() != "" && accountOf(name) == p.account():
		return ByAccount
	}
	return NotNamed
}

// accountOf returns the account that a value stands for as a whole: 111122223333, or
// arn:aws:iam::111122223333:root.
func accountOf(name string) string {
	if parts := strings.SplitN(name, ":", arnParts); len(parts) == arnParts && parts[2] == "iam" && parts[5] == "root" {
		return parts[4]
	}
	if isAccount(name) {
		return name
	}
	return ""
}

// matchPrincipal returns the most exact match of a Principal element. For NotPrincipal it is Everyone
// where the principal is none of the exceptions.
//
// NotPrincipal with Deny excepts a session only if its role and account are named as well, and a user
// only with the account: AWS may check them one after the other (IAMG
// reference_policies_elements_notprincipal). That it always does is ours, on the strict side. With
// Allow one name is enough to be left out.
func (s *Statement) matchPrincipal(p Principal) PrincipalMatch {
	var found []PrincipalMatch
	for _, element := range s.Principal.Values {
		if match := names(element, p); match != NotNamed {
			found = append(found, match)
		}
	}
	switch {
	case !s.Principal.Negated():
		return mostExact(found)
	case s.Effect == Allow && len(found) > 0, s.Effect == Deny && excepted(found, p):
		return NotNamed
	}
	return Everyone
}

func mostExact(found []PrincipalMatch) PrincipalMatch {
	for _, match := range []PrincipalMatch{ByName, ByRole, ByAccount, Everyone} {
		if slices.Contains(found, match) {
			return match
		}
	}
	return NotNamed
}

// excepted reports whether a principal is named on each level that it has.
func excepted(found []PrincipalMatch, p Principal) bool {
	if slices.Contains(found, Everyone) {
		return true
	}
	levels := []PrincipalMatch{ByName}
	if p.Service == "" {
		levels = append(levels, ByAccount)
	}
	if p.Role != "" {
		levels = append(levels, ByRole)
	}
	return !slices.ContainsFunc(levels, func(level PrincipalMatch) bool { return !slices.Contains(found, level) })
}
