package hostadvice

import (
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/role"
	"kedge/signer/session"
)

// TestAdvise_chain has a row for each error that STS is known to give for AssumeRole.
func TestAdvise_chain(t *testing.T) {
	t.Parallel()
	const who = "User: arn:aws:sts::111122223333:assumed-role/web/0a1b is not authorized to perform: "
	tests := []struct{ code, message, hint string }{
		{"AccessDenied", who + "sts:AssumeRole on resource: ROLE", "an external id (--external-id)"},
		{"AccessDenied", who + "sts:TagSession on resource: ROLE", "add sts:TagSession to the actions of the trust policy of ROLE"},
		{"AccessDenied", who + "sts:SetSourceIdentity on resource: ROLE", "add sts:SetSourceIdentity"},
		{"ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining", "one hour at most"},
		{"ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "maximum session duration of ROLE"},
		{"MalformedPolicyDocument", "Syntax errors in policy.", "--policy"},
		{"PackedPolicyTooLarge", "too large", "--policy-arn"},
		{"InvalidParameterCombination", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.", "leave that --tag out"},
		{"RegionDisabledException", "STS is not activated in this region", "--sts-endpoint"},
		{"ExpiredToken", "The security token included in the request is expired", "clock"},
		{"Throttling", "Rate exceeded", "too many requests"},
		{"Teapot", "something new", "check --assume-role-arn ROLE"},
	}
	for _, tt := range tests {
		err := &role.RequestError{Err: &session.APIError{RoleARN: "ROLE", Status: 403, Code: tt.code, Message: tt.message}, Chained: true}
		if got := Table().Of(err); got.Code != cli.ExitRefused || !strings.Contains(got.Hint, tt.hint) {
			t.Errorf("%s %s: exit %d, hint %q, want one with %q", tt.code, tt.message, got.Code, got.Hint, tt.hint)
		}
	}
}
