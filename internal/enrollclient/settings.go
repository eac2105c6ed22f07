package enrollclient

import (
	"strings"

	"kedge/internal/enrollapi"
	"kedge/signer/session"
)

// checkSettings returns what is wrong with the AWS settings of a server. They are names, and come to
// stand in files and command lines.
func checkSettings(a *enrollapi.AWS) (problem string) {
	if a == nil {
		return ""
	}
	for _, text := range []string{a.TrustAnchorARN, a.ProfileARN, a.RoleARN} {
		if arn, err := session.ParseARN(text); err != nil || !isPlain(arn.String()) {
			return "an ARN in its AWS settings is none"
		}
	}
	if a.Region == "" || strings.Trim(a.Region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "the region in its AWS settings is none"
	}
	return ""
}

// isPlain reports whether a text has only characters that ARNs of roles, profiles and trust anchors have.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(":/-_+=,.@", r)
	})
}

// isSameAccount reports whether settings lead to the same partition and account.
func isSameAccount(a, b *enrollapi.AWS) bool {
	of := func(s *enrollapi.AWS) [3]string {
		var out [3]string
		for i, text := range []string{s.TrustAnchorARN, s.ProfileARN, s.RoleARN} {
			if arn, err := session.ParseARN(text); err == nil {
				out[i] = arn.Partition + ":" + arn.Account
			}
		}
		return out
	}
	return of(a) == of(b)
}
