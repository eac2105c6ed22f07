package cadir

import (
	"strings"
	"testing"
)

func TestParseARN(t *testing.T) {
	t.Parallel()
	a, err := ParseARN(crlARN, CRLARN)
	if err != nil || a.ID != "6b656467-6500-4000-8000-000000000002" || a.Region != "eu-west-1" || a.Account != "111122223333" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, text := range []string{"", "arn:aws:rolesanywhere:eu-west-1:1:crl/6b656467-6500-4000-8000-000000000002", strings.Replace(crlARN, "eu-west-1", "eu'west", 1), crlARN + "x", crlARN + "\n", strings.Replace(crlARN, "aws", "a;b", 1), strings.Replace(crlARN, "0000", "$(id", 1)} {
		if a, err := ParseARN(text, CRLARN); err == nil {
			t.Errorf("%q: %+v", text, a)
		}
	}
}

func TestParseReference(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	if a, err := ParseReference(crlARN, CRLARN); err != nil || a.ID != "6b656467-6500-4000-8000-000000000002" {
		t.Errorf("%+v, %v", a, err)
	}
	for _, name := range []string{"alias/crl/list", "alias/crl/team/list-1_b", "alias/crl/" + strings.Repeat("a", 256)} {
		text := prefix + name
		if a, err := ParseReference(text, CRLARN); err != nil || a.ID != text || a.Text != text || a.Region != "eu-west-1" || a.Account != "111122223333" {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
		if _, err := ParseARN(text, CRLARN); err == nil || !strings.Contains(err.Error(), "is an alias: give the ARN of a CRL itself") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, name := range []string{
		"alias/trust-anchor/list", "alias/crl/", "alias/crl/1list", "alias/crl/aws/list", "alias/crl/a/b/c", "alias/crl/a//b", "alias/crl/a/", "alias/crl/a b",
		"alias/crl/a$(id)", "alias/crl/a\n", "alias/crl/" + strings.Repeat("a", 257), "list",
	} {
		if a, err := ParseReference(prefix+name, CRLARN); err == nil {
			t.Errorf("%q: %+v", name, a)
		}
	}
}

// TestAWS_host: what was built is what hosts get, unless the configuration has something else.
func TestAWS_host(t *testing.T) {
	t.Parallel()
	const region = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	built := AWS{
		TrustAnchor: region + "trust-anchor/11111111-2222-3333-4444-555555555555", Profile: region + "profile/11111111-2222-3333-4444-555555555555",
		Roles: map[string]string{"a": "arn:aws:iam::111122223333:role/a", "b": "arn:aws:iam::111122223333:role/b"},
	}
	want := AWSSettings{TrustAnchorARN: built.TrustAnchor, ProfileARN: built.Profile, RoleARN: built.Roles["b"], Region: "eu-west-1"}
	got := built.Host(AWSSettings{}, "b")
	if got.TrustAnchorARN != want.TrustAnchorARN || got.ProfileARN != want.ProfileARN || got.RoleARN != want.RoleARN || got.Region != want.Region {
		t.Errorf("%+v", got)
	}
	configured := AWSSettings{TrustAnchorARN: "x"}
	if got := built.Host(configured, "a"); got != configured {
		t.Errorf("the configuration is not what counts: %+v", got)
	}
	for name, change := range map[string]func(*AWS){
		"no role":         func(a *AWS) { a.Roles = nil },
		"not tried":       func(a *AWS) { a.Untried = []string{"arn:aws:iam::111122223333:role/a"} },
		"no profile":      func(a *AWS) { a.Profile = "" },
		"another account": func(a *AWS) { a.Roles = map[string]string{"a": "arn:aws:iam::444455556666:role/a"} },
	} {
		a := built
		change(&a)
		if got := a.Host(AWSSettings{}, "a"); got.TrustAnchorARN != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
