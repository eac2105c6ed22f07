package session

import (
	"errors"
	"strings"
	"testing"
)

func TestParseARN(t *testing.T) {
	t.Parallel()
	for _, s := range []string{anchorARN, profileARN, roleARN, assumedARN, "arn:aws-cn:s3:::bucket/key:with:colons", "arn:aws:iam::aws:policy/x"} {
		arn, err := ParseARN(s)
		if strings.Contains(s, "::aws:") { // the one word that AWS puts in place of an account is of no use here
			if err == nil {
				t.Errorf("%s: taken", s)
			}
			continue
		}
		if err != nil || arn.String() != s {
			t.Errorf("%s: %v, %v", s, arn, err)
		}
	}
}

func TestNew_arns(t *testing.T) {
	t.Parallel()
	const id = "a1b2c3d4-0000-4000-8000-000000000001"
	tests := []struct {
		name, field, value, want string
	}{
		{"missing", "ProfileARN", "", `profile ARN is missing`},
		{"five parts", "ProfileARN", "arn:aws:rolesanywhere:eu-west-1:profile", `profile ARN "arn:aws:rolesanywhere:eu-west-1:profile" has 5 parts, not 6 as in arn:partition:service:region:account:resource`},
		{"no ARN", "RoleARN", "web", `role ARN "web" is not an ARN: it does not begin with "arn:"`},
		{"line end", "RoleARN", roleARN + "\n", `role ARN "` + roleARN + `\n" has white space before or after it`},
		{"space inside", "RoleARN", "arn:aws:iam::111122223333:role/we b", `role ARN "arn:aws:iam::111122223333:role/we b" contains the character ' '`},
		{"quotes", "RoleARN", "'" + roleARN + "'", `role ARN "'` + roleARN + `'" has quotes around it`},
		{"not ASCII", "RoleARN", "arn:aws:iam::111122223333:role/wéb", `role ARN "arn:aws:iam::111122223333:role/wéb" contains the character 'é'`},
		{"too long", "RoleARN", roleARN + strings.Repeat("x", 1000), `has 1039 characters; no ARN has more than 1011`},
		{"capital partition", "RoleARN", "arn:AWS:iam::111122223333:role/web", `has the partition "AWS", which is no name like aws or aws-cn`},
		{"no service", "RoleARN", "arn:aws:::111122223333:role/web", `has the service "", which is no name`},
		{"region that escapes", "TrustAnchorARN", "arn:aws:rolesanywhere:evil.example/:111122223333:trust-anchor/" + id, `has the region "evil.example/", which is no name like eu-west-1`},
		{"short account", "RoleARN", "arn:aws:iam::1111:role/web", `has the account "1111", which is not twelve digits`},
		{"no resource", "RoleARN", "arn:aws:iam::111122223333:", `names no resource after the last colon`},
		{"role for profile", "ProfileARN", roleARN, `profile ARN "` + roleARN + `" is a role ARN, not a profile ARN`},
		{"anchor for profile", "ProfileARN", anchorARN, `is a trust anchor ARN, not a profile ARN`},
		{"profile for anchor", "TrustAnchorARN", profileARN, `is a profile ARN, not a trust anchor ARN`},
		{"instance profile", "ProfileARN", "arn:aws:iam::111122223333:instance-profile/web", `is an instance profile ARN, not a profile ARN`},
		{"session for role", "RoleARN", assumedARN, `is an assumed role ARN, not a role ARN`},
		{"bucket for role", "RoleARN", "arn:aws:s3:::bucket", `is an ARN of s3, not a role ARN`},
		{"role with region", "RoleARN", "arn:aws:iam:eu-west-1:111122223333:role/web", `names the region eu-west-1, but roles have none: arn:aws:iam::111122223333:role/…`},
		{"role without account", "RoleARN", "arn:aws:iam:::role/web", `names no account`},
		{"role without name", "RoleARN", "arn:aws:iam::111122223333:role/path/", `ends in "", which is not the name of a role`},
		{"profile without id", "ProfileARN", "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/web", `ends in "web", which is not the id of a profile`},
		{"profile without region", "ProfileARN", "arn:aws:rolesanywhere::111122223333:profile/" + id, `names no region`},
		{"another partition", "ProfileARN", "arn:aws-cn:rolesanywhere:cn-north-1:111122223333:profile/" + id, `is in partition aws-cn, the trust anchor in aws: they must be in the same one`},
		{"another region", "ProfileARN", "arn:aws:rolesanywhere:us-east-1:111122223333:profile/" + id, `is in region us-east-1, the trust anchor in eu-west-1: they must be in the same one`},
		{"another account", "ProfileARN", "arn:aws:rolesanywhere:eu-west-1:444455556666:profile/" + id, `is in account 444455556666, the trust anchor in 111122223333: they must be in the same one`},
		{"role of another partition", "RoleARN", "arn:aws-cn:iam::111122223333:role/web", `is in partition aws-cn, the profile in aws: they must be in the same one`},
		{"role of another account", "RoleARN", "arn:aws:iam::444455556666:role/web", `is in account 444455556666, the profile in 111122223333: a profile gives roles of its own account only`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: roleARN, Now: start}
			switch tt.field {
			case "TrustAnchorARN":
				cfg.TrustAnchorARN = tt.value
			case "ProfileARN":
				cfg.ProfileARN = tt.value
			case "RoleARN":
				cfg.RoleARN = tt.value
			}
			_, err := New(cfg)
			arn, ok := errors.AsType[*ARNError](err)
			if !ok || arn.Field != tt.field || arn.Value != tt.value || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestNew_alias: CreateSession takes aliases of trust anchors and profiles, and sends them as they are.
func TestNew_alias(t *testing.T) {
	t.Parallel()
	const place = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	for _, tt := range []struct{ anchor, profile, want string }{
		{"alias/trust-anchor/web", "alias/profile/Web_1", ""},
		{"alias/trust-anchor/team-a/web", "alias/profile/a/b/c", ""},
		{"alias/trust-anchor/" + strings.Repeat("a", 256), "alias/profile/awsx", ""},
		{"alias/trust-anchor/" + strings.Repeat("a", 257), "alias/profile/x", "which is not an alias"},
		{"alias/trust-anchor/1web", "alias/profile/x", `ends in "1web", which is not an alias`},
		{"alias/trust-anchor/web/", "alias/profile/x", "which is not an alias"},
		{"alias/trust-anchor/a//b", "alias/profile/x", "which is not an alias"},
		{"alias/trust-anchor/a.b", "alias/profile/x", "which is not an alias"},
		{"alias/trust-anchor/", "alias/profile/x", `ends in ""`},
		{"alias/trust-anchor", "alias/profile/x", `ends in ""`},
		{"alias/trust-anchor/aws/x", "alias/profile/x", "aliases below aws/ are those of AWS"},
		{"alias/profile/x", "alias/profile/x", "is a profile ARN, not a trust anchor ARN"},
		{"alias/crl/x", "alias/profile/x", "is a crl ARN, not a trust anchor ARN"},
		{"alias/trust-anchor/x", "alias/trust-anchor/x", "is a trust anchor ARN, not a profile ARN"},
	} {
		c, err := New(Config{TrustAnchorARN: place + tt.anchor, ProfileARN: place + tt.profile, RoleARN: roleARN, Now: start})
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s, %s: got %v, want %q", tt.anchor, tt.profile, err, tt.want)
		case err == nil && c.arns.trustAnchor.String() != place+tt.anchor:
			t.Errorf("%s is sent as %s", tt.anchor, c.arns.trustAnchor)
		}
	}
	for _, role := range []string{place + "alias/role/x", "arn:aws:iam::111122223333:alias/role/x"} {
		if _, err := New(Config{TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: role, Now: start}); err == nil {
			t.Errorf("%s was taken for a role", role)
		}
	}
}

// FuzzARN: what is taken prints as it was; a refusal is one line of bounded length; and an
// ARN of a kind can stand in a host name and in a query.
func FuzzARN(f *testing.F) {
	for _, s := range []string{anchorARN, profileARN, roleARN, assumedARN, "", "arn", "arn:aws:s3:::b", "arn:aws:iam::1:role/x", " " + roleARN, "arn:aws:iam::111122223333:role/a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		arn, err := ParseARN(s)
		if err != nil {
			if text := err.Error(); len(text) > 5*maxText || strings.ContainsAny(text, "\n\r\x1b") {
				t.Fatalf("refused with %q", text)
			}
			return
		}
		if arn.String() != s {
			t.Fatalf("%q prints as %q", s, arn)
		}
		again, err := ParseARN(arn.String())
		if err != nil || again != arn {
			t.Fatalf("%q does not parse again: %v", s, err)
		}
		if _, err := parseKind("TrustAnchorARN", s, "trust-anchor"); err == nil && (!isLabel(arn.Region) || !isAccount(arn.Account)) {
			t.Fatalf("%q was taken for a trust anchor", s)
		}
	})
}
