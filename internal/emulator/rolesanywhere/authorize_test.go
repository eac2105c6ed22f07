package rolesanywhere

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

const (
	testAnchor  = "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a"
	testProfile = "arn:aws:rolesanywhere:us-east-1:111122223333:profile/p"
)

// TestAuthorize_members: a member that an operation does not have is neither its resource nor a condition key.
func TestAuthorize_members(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ op, body, want string }{
		{"TagResource", `{"resourceArn":"` + testProfile + `","trustAnchorId":"a","tags":[{"key":"k","value":"v"}]}`, testProfile + " aws:RequestTag/k aws:TagKeys"},
		{"TagResource", `{"trustAnchorId":5,"tagKeys":5,"resourceArn":"` + testProfile + `","tags":[{"key":"k","value":"v"}]}`, testProfile + " aws:RequestTag/k aws:TagKeys"},
		{"UntagResource", `{"resourceArn":"` + testProfile + `","tags":[{"key":"k","value":"v"}],"tagKeys":["k"]}`, testProfile + " aws:TagKeys"},
		{"PutNotificationSettings", `{"trustAnchorId":"a","resourceArn":5,"tags":[{"key":"k","value":"v"}]}`, testAnchor},
		{"UpdateProfile", `{"tags":[{"key":"k","value":"v"}],"tagKeys":["k"]}`, testProfile},
		{"CreateProfile", `{"tags":[{"key":"k","value":"v"}],"tagKeys":5}`, "* aws:RequestTag/k aws:TagKeys"},
	} {
		if got := asked(t, tt.op, tt.body); got != tt.want {
			t.Errorf("%s %s:\n%s, want\n%s", tt.op, tt.body, got, tt.want)
		}
	}
}

// TestAuthorize_permissions: creates with tags need rolesanywhere:TagResource as well, and a profile's roles iam:PassRole.
func TestAuthorize_permissions(t *testing.T) {
	t.Parallel()
	const (
		region = "arn:aws:rolesanywhere:us-east-1:111122223333:"
		roles  = `"roleArns":["arn:aws:iam::111122223333:role/b","arn:aws:iam::111122223333:role/a","arn:aws:iam::111122223333:role/b"]`
		passed = ", iam:PassRole arn:aws:iam::111122223333:role/a iam:PassedToService=rolesanywhere.amazonaws.com" +
			", iam:PassRole arn:aws:iam::111122223333:role/b iam:PassedToService=rolesanywhere.amazonaws.com"
		tags = `"tags":[{"key":"k","value":"v"}]`
	)
	for _, tt := range []struct{ op, body, want string }{
		{"CreateProfile", `{` + roles + `}`, "rolesanywhere:CreateProfile *" + passed},
		{"CreateProfile", `{` + roles + `,` + tags + `}`, "rolesanywhere:CreateProfile * aws:RequestTag/k=v aws:TagKeys=k, rolesanywhere:TagResource " + region + "profile/* aws:RequestTag/k=v aws:TagKeys=k" + passed},
		{"UpdateProfile", `{` + roles + `,` + tags + `}`, "rolesanywhere:UpdateProfile " + testProfile + passed},
		{"UpdateProfile", `{"name":"p"}`, "rolesanywhere:UpdateProfile " + testProfile},
		{"UpdateProfile", `{"roleArns":["a"` + strings.Repeat(`,"a"`, maxRoles) + `]}`, "rolesanywhere:UpdateProfile " + testProfile},
		{"CreateTrustAnchor", `{` + roles + `,` + tags + `}`, "rolesanywhere:CreateTrustAnchor * aws:RequestTag/k=v aws:TagKeys=k, rolesanywhere:TagResource " + region + "trust-anchor/* aws:RequestTag/k=v aws:TagKeys=k"},
		{"ImportCrl", `{` + tags + `}`, "rolesanywhere:ImportCrl * aws:RequestTag/k=v aws:TagKeys=k, rolesanywhere:TagResource " + region + "crl/* aws:RequestTag/k=v aws:TagKeys=k"},
		{"ImportCrl", `{"tags":[]}`, "rolesanywhere:ImportCrl *"},
	} {
		s := profileStore(t)
		var got []string
		s.Authorize = func(_ Call, action, resource string, context policy.Context) *wire.Error {
			text := action + " " + resource
			for _, key := range []string{"aws:RequestTag/k", "aws:TagKeys", "iam:PassedToService"} {
				for _, value := range context.Values(key) {
					text += " " + key + "=" + value
				}
			}
			got = append(got, text)
			return nil
		}
		call(s, tt.op, tt.body)
		if all := strings.Join(got, ", "); all != tt.want {
			t.Errorf("%s %.200s:\n%s, want\n%s", tt.op, tt.body, all, tt.want)
		}
	}
}

// profileStore returns a store with the profile p.
func profileStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SeedProfile(&Profile{Base: Base{ARN: testProfile}, DurationSeconds: 900}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return s
}

// call performs an operation, of the profile p where it names one.
func call(s *Store, name, body string) {
	i := slices.IndexFunc(Operations(), func(o Operation) bool { return o.Name == name })
	header := http.Header{"Content-Type": {"application/json"}}
	_, _ = s.Do(Operations()[i], Call{ID: "p", Caller: wire.Caller{Account: "111122223333", Region: "us-east-1"}, Request: wire.Request{Header: header, Body: []byte(body)}})
}

// asked returns the resource and the condition keys that an operation of the profile p asks about.
func asked(t *testing.T, name, body string) string {
	t.Helper()
	s := profileStore(t)
	got := ""
	s.Authorize = func(_ Call, _, resource string, context policy.Context) *wire.Error {
		got = resource
		for _, key := range []string{"aws:RequestTag/k", "aws:TagKeys"} {
			if context.Values(key) != nil {
				got += " " + key
			}
		}
		return wire.Denied("no", "")
	}
	call(s, name, body)
	return got
}
