package awsadmin

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"kedge/ca"
	"kedge/internal/emulator/policy"
)

// checkMetByAbsence: a certificate without the attribute meets the condition: operators that are negated,
// end in IfExists or begin with ForAllValues, and Null with "true". With Deny, that is the safe side.
func checkMetByAbsence(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.allowing()) {
		if c.isOfCertificate() && evaluate(c.Condition, policy.Context{}).Met {
			texts = append(texts, fmt.Sprintf("%s is met by certificates that lack it: take StringEquals or StringLike", c))
		}
	}
	return texts
}

// checkUnmapped: a tag that the profile does not map is absent.
func checkUnmapped(s *linted) (texts []string) {
	mapping := s.Profile
	if mapping == nil {
		mapping = DefaultMapping()
	}
	for _, c := range conditionsOf(s.statements) {
		_, tag, _ := strings.Cut(c.Key, "/")
		if c.has("aws:PrincipalTag/", "aws:RequestTag/") && isMapped(tag) && !mapping.Maps(tag) {
			texts = append(texts, fmt.Sprintf("%s: no session has that tag, since the profile maps %s", c, mapping))
		}
	}
	return texts
}

// checkUnknownTag: a certificate gives no other tags than those of its subject, issuer and alternative names, and
// the caller is the service, which has none of its own.
func checkUnknownTag(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		_, tag, _ := strings.Cut(c.Key, "/")
		if c.has("aws:PrincipalTag/", "aws:RequestTag/") && !isMapped(tag) {
			texts = append(texts, fmt.Sprintf("%s: no certificate gives that tag: theirs begin with x509Subject/, x509Issuer/ or x509SAN/, such as x509Subject/CN", c))
		}
	}
	return texts
}

// isMapped reports whether a profile can map certificates to a tag. Case does not count.
func isMapped(tag string) bool { return strings.HasPrefix(strings.ToLower(tag), "x509") }

// checkEqualsWildcard: to these operators * and ? are characters, which no tag and no ARN has.
func checkEqualsWildcard(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		if !c.compares("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase") || !c.isOfCertificate() && !c.has(sourceARN, sourceAccount) {
			continue
		}
		for _, value := range c.Values {
			if strings.ContainsAny(value, "*?") && !hasVariable(value) {
				texts = append(texts, fmt.Sprintf("%s: %q has a wildcard, which only the operators with Like have: it is never equal", c, value))
			}
		}
	}
	return texts
}

// hasVariable reports whether a part of the value is replaced (IAMG reference_policies_variables).
func hasVariable(value string) bool { return strings.Contains(value, "${") }

// checkValueCharacters: no session can have such a tag or source identity.
func checkValueCharacters(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		if !c.isOfCertificate() || c.compares("Null") {
			continue
		}
		for _, value := range c.Values {
			literal := strings.NewReplacer("*", "", "?", "").Replace(value)
			err := ca.CheckTagValue(literal)
			if c.has("sts:SourceIdentity") && !isIdentity(literal) {
				err = errIdentity
			}
			if err != nil && !hasVariable(value) {
				texts = append(texts, fmt.Sprintf("%s: no session has the value %q: %v", c, value, err))
			}
		}
	}
	return texts
}

// checkLeadingWildcard: whoever gets a certificate for a name with that end gets the role.
func checkLeadingWildcard(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.allowing()) {
		for _, value := range c.Values {
			if c.compares("StringLike") && c.isOfCertificate() && strings.IndexAny(value, "*?") == 0 {
				texts = append(texts, fmt.Sprintf("%s: %q begins with a wildcard, which crosses dots and slashes", c, value))
			}
		}
	}
	return texts
}

// checkRequestTag: the guide of IAM Roles Anywhere has the tags as aws:PrincipalTag only.
func checkRequestTag(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		if c.has("aws:RequestTag/", "aws:TagKeys", "sts:TransitiveTagKeys") {
			texts = append(texts, fmt.Sprintf("%s: the guide has the tags of certificates as aws:PrincipalTag only", c))
		}
	}
	return texts
}

// checkSourceIP: the caller of AssumeRole is the service.
func checkSourceIP(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		if c.has("aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce") {
			texts = append(texts, fmt.Sprintf("%s: the caller is the service, not the host: put it into the policies of the role", c))
		}
	}
	return texts
}

// checkIdentityPrefix: the source identity of a common name of up to 61 characters begins with CN=.
func checkIdentityPrefix(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		for _, value := range c.Values {
			if c.has("sts:SourceIdentity") && c.compares("StringEquals", "StringLike") && lacksPrefix(value) {
				texts = append(texts, fmt.Sprintf("%s: a source identity begins with CN=, or with ID= where there is no common name: %q matches none", c, value))
			}
		}
	}
	return texts
}

func lacksPrefix(value string) bool {
	return value != "" && !strings.HasPrefix(value, "CN=") && !strings.HasPrefix(value, "ID=") &&
		!strings.ContainsAny(value[:1], "*?$") && utf8.RuneCountInString(value) <= 61
}
