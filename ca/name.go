package ca

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RuleError says that a certificate was not signed because the service would refuse it.
type RuleError struct {
	What   string // what was looked at, with its value
	Rule   string // what it must be
	Source string // where the rule stands
}

func (e *RuleError) Error() string { return e.What + " " + e.Rule }

// maxCommonName is the limit of X.520, in characters (RFC 5280, appendix A,
// ub-common-name).
const maxCommonName = 64

// checkName holds a name against the alphabet of STS session tags, since the service makes
// tags of it: a name with another character can make CreateSession fail with "attributes
// failed to be mapped into session tags".
func checkName(what, name string) error {
	quoted := fmt.Sprintf("the %s %q", what, name)
	if strings.TrimSpace(name) == "" {
		return &RuleError{What: "the " + what, Rule: "must not be empty: sessions are keyed by it", Source: "IAM Roles Anywhere User Guide, \"Trust model\""}
	}
	if n := utf8.RuneCountInString(name); n > maxCommonName {
		return &RuleError{What: quoted, Rule: fmt.Sprintf("has %d characters; a common name takes at most %d", n, maxCommonName), Source: "RFC 5280, appendix A"}
	}
	for _, r := range name {
		if !tagCharacter(r) {
			return &RuleError{What: quoted, Rule: fmt.Sprintf("holds %q, which session tags cannot carry; take letters, digits, spaces and _.:/=+-@", r), Source: "AWS STS API Reference, Tag"}
		}
	}
	return nil
}

// tagCharacter is one of [\p{L}\p{Z}\p{N}_.:/=+\-@], the alphabet of the STS API Reference
// for session tags.
func tagCharacter(r rune) bool {
	return r != utf8.RuneError && (unicode.In(r, unicode.L, unicode.Z, unicode.N) || strings.ContainsRune("_.:/=+-@", r))
}
