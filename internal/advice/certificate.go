package advice

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/internal/pemread"
)

// Request is about certificate requests, and certificates, that cannot be taken as they are.
func Request(err error) string {
	if refused, ok := errors.AsType[*ca.SANError](err); ok {
		hint := "leave out with --drop-sans what is refused: IAM Roles Anywhere needs no subject alternative name"
		if by, ok := errors.AsType[*ca.ProfileError](refused); ok {
			hint += fmt.Sprintf("; or change %s of profile %q in the configuration", by.Key, by.Profile)
		}
		return hint
	}
	if is[*ca.SubjectError](err) {
		return "make the request with UTF-8 strings (openssl: string_mask = utf8only); \"kedge-ca sign\" takes the name from --name instead"
	}
	if unread, ok := errors.AsType[*pemread.Error](err); ok && (unread.Reason == pemread.Cut || unread.Reason == pemread.Damaged) {
		return "copy the file again, as a file and not from a screen or a mail, with all of it from BEGIN to END"
	}
	return ""
}

// Lint says what the service would do, or how warnings are allowed. Errors come first.
func Lint(findings []ca.Finding) string {
	has := func(rule string) bool {
		return slices.ContainsFunc(findings, func(f ca.Finding) bool { return f.Rule == rule })
	}
	switch {
	case len(findings) == 0:
		return ""
	case has("tag-characters"):
		return "IAM Roles Anywhere makes session tags of the names in a certificate and would refuse this one"
	case has("ca-ext-key-usage"), has("issuer-ext-key-usage"):
		return "have that CA certificate made again for the same key, without extended key usages or with clientAuth among them, by the CA that signed it"
	case findings[0].Severity == ca.Error:
		return "IAM Roles Anywhere would refuse it, or whoever verifies it, so it cannot be allowed; the rule is in: " + findings[0].Source
	}
	var flags []string
	for _, f := range findings {
		if flag := "--allow " + f.Rule; !slices.Contains(flags, flag) {
			flags = append(flags, flag)
		}
	}
	allow := strings.Join(flags, " ")
	if has("anchor-size") {
		return "it cannot be registered; if an intermediate with a smaller key is what will be, repeat it with " + allow
	}
	return "if that is meant, repeat it with " + allow + ", or, for leaves, list what is allowed under allow_warnings of the profile"
}
