package rolesanywhere

import (
	"net/http"
	"slices"
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

// asked returns the resource and the condition keys that an operation of the profile p asks about.
func asked(t *testing.T, name, body string) string {
	t.Helper()
	s, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SeedProfile(&Profile{Base: Base{ARN: testProfile}, DurationSeconds: 900}, time.Now()); err != nil {
		t.Fatal(err)
	}
	got := ""
	s.Authorize = func(_ wire.Caller, _, resource string, context policy.Context) *wire.Error {
		got = resource
		for _, key := range []string{"aws:RequestTag/k", "aws:TagKeys"} {
			if context.Values(key) != nil {
				got += " " + key
			}
		}
		return wire.Denied("no", "")
	}
	i := slices.IndexFunc(Operations(), func(o Operation) bool { return o.Name == name })
	header := http.Header{"Content-Type": {"application/json"}}
	_, _ = s.Do(Operations()[i], Call{ID: "p", Caller: wire.Caller{Account: "111122223333", Region: "us-east-1"}, Request: wire.Request{Header: header, Body: []byte(body)}})
	return got
}
