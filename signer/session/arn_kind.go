package session

import (
	"fmt"
	"strings"
)

// arns are the three that make a request, each of its kind and fitting the others.
type arns struct {
	trustAnchor, profile, role ARN
}

// parseARNs reads the three and checks them against each other, since what the service says
// of ones that do not fit ("Specified Trust Anchor wasn't found.") does not name the cause.
func parseARNs(cfg Config) (a arns, err error) {
	if a.trustAnchor, err = parseKind("TrustAnchorARN", cfg.TrustAnchorARN, "trust-anchor"); err != nil {
		return arns{}, err
	}
	if a.profile, err = parseKind("ProfileARN", cfg.ProfileARN, "profile"); err != nil {
		return arns{}, err
	}
	if a.role, err = parseKind("RoleARN", cfg.RoleARN, "role"); err != nil {
		return arns{}, err
	}
	return a, a.checkTogether()
}

func (a arns) checkTogether() error {
	anchor, profile, role := a.trustAnchor, a.profile, a.role
	differ := func(field string, arn ARN, format string, args ...any) error {
		return &ARNError{Field: field, Value: arn.String(), Problem: fmt.Sprintf(format, args...)}
	}
	switch {
	case profile.Partition != anchor.Partition:
		return differ("ProfileARN", profile, "is in partition %s, the trust anchor in %s: they must be in the same one", profile.Partition, anchor.Partition)
	case profile.Region != anchor.Region:
		return differ("ProfileARN", profile, "is in region %s, the trust anchor in %s: they must be in the same one", profile.Region, anchor.Region)
	case profile.Account != anchor.Account:
		return differ("ProfileARN", profile, "is in account %s, the trust anchor in %s: they must be in the same one", profile.Account, anchor.Account)
	case role.Partition != profile.Partition:
		return differ("RoleARN", role, "is in partition %s, the profile in %s: they must be in the same one", role.Partition, profile.Partition)
	case role.Account != profile.Account:
		return differ("RoleARN", role, "is in account %s, the profile in %s: a profile gives roles of its own account only", role.Account, profile.Account)
	}
	return nil
}

// parseKind reads an ARN that must be a trust-anchor, a profile or a role.
func parseKind(field, value, kind string) (ARN, error) {
	arn, err := ParseARN(value)
	if e, ok := err.(*ARNError); ok { // ParseARN returns it bare
		e.Field = field
		return ARN{}, e
	}
	if problem := arn.notOfKind(kind); problem != "" {
		return ARN{}, &ARNError{Field: field, Value: value, Problem: problem}
	}
	return arn, nil
}

// notOfKind describes why a is no ARN of that kind; empty if it is.
func (a ARN) notOfKind(kind string) string {
	service := "rolesanywhere"
	if kind == "role" {
		service = "iam"
	}
	got, name, _ := strings.Cut(a.Resource, "/")
	alias := ""
	if got == "alias" && service == "rolesanywhere" {
		got, alias, _ = strings.Cut(name, "/")
	}
	switch {
	case a.Service != service || got != kind:
		return fmt.Sprintf("is %s, not %s ARN", a.describe(), withArticle(kind))
	case a.Account == "":
		return "names no account"
	case service == "iam" && a.Region != "":
		return fmt.Sprintf("names the region %s, but roles have none: arn:%s:iam::%s:role/…", a.Region, a.Partition, a.Account)
	case service == "iam":
		return badRoleName(name)
	case a.Region == "":
		return "names no region"
	case strings.HasPrefix(a.Resource, "alias/"):
		return badAlias(alias)
	case !isUUID(name):
		return fmt.Sprintf("ends in %q, which is not the id of %s", name, withArticle(kind))
	}
	return ""
}

// describe names what a is, as far as an ARN tells.
func (a ARN) describe() string {
	kind, _, found := strings.Cut(strings.TrimPrefix(a.Resource, "alias/"), "/")
	if found && (a.Service == "rolesanywhere" || a.Service == "iam" || a.Service == "sts") {
		return withArticle(kind) + " ARN"
	}
	return "an ARN of " + a.Service
}

func withArticle(kind string) string {
	article := "a "
	if kind != "" && strings.ContainsRune("aeiou", rune(kind[0])) {
		article = "an "
	}
	return article + strings.ReplaceAll(kind, "-", " ")
}

// badRoleName checks the name of a role, after its path if there is one.
//
// Source: IAM User Guide, "IAM and AWS STS quotas": 64 of [\w+=,.@-].
func badRoleName(pathAndName string) string {
	name := pathAndName[strings.LastIndexByte(pathAndName, '/')+1:]
	if len(name) < 1 || len(name) > 64 || !isSTSName(name) {
		return fmt.Sprintf("ends in %q, which is not the name of a role", name)
	}
	return ""
}

// badAlias checks the name of an alias, which CreateSession takes in place of an id.
//
// Source: IAM Roles Anywhere User Guide, "Resource aliases": 1 to 256 of [A-Za-z0-9_-/], a letter
// first, no slash at the end or after another, nothing below aws/.
func badAlias(name string) string {
	letter := name != "" && (name[0] >= 'a' && name[0] <= 'z' || name[0] >= 'A' && name[0] <= 'Z')
	switch {
	case !letter || len(name) > 256 || strings.HasSuffix(name, "/") || strings.Contains(name, "//") || strings.ContainsAny(name, "+=,.@") || !isSTSName(strings.ReplaceAll(name, "/", "")):
		return fmt.Sprintf("ends in %q, which is not an alias: 1 to 256 letters, digits and _-/, a letter first", brief(name))
	case strings.HasPrefix(name, "aws/"):
		return fmt.Sprintf("ends in %q: aliases below aws/ are those of AWS", brief(name))
	}
	return ""
}

// isSTSName tells the alphabet of role and session names, [\w+=,.@-].
func isSTSName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("_+=,.@-", rune(c)) {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	digits := strings.ReplaceAll(s, "-", "")
	return len(digits) == 32 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}
