package role

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"kedge/signer"
	"kedge/signer/session"
)

// TestMayBeCertificate: the pair before is used for what a new certificate can cause, and for nothing else.
func TestMayBeCertificate(t *testing.T) {
	now := time.Now()
	refused := func(status int, code, message string) error {
		return &session.APIError{Status: status, Code: code, Message: message}
	}
	const denied = "AccessDeniedException"
	for _, test := range []struct {
		err  error
		want bool
	}{
		{refused(403, denied, "Untrusted signing certificate"), true},
		{refused(403, denied, "Untrusted certificate. Insufficient certificate"), true},
		{refused(403, denied, "Unable to assume role for ARN."), true},
		{refused(400, denied, "attributes failed to be mapped into session tags"), true},
		{refused(403, denied, "something new"), true},
		{refused(403, "", ""), true},
		{&signer.ValidityError{NotBefore: now.Add(time.Hour), NotAfter: now.Add(2 * time.Hour), Now: now}, true},

		{refused(403, denied, "Certificate revoked"), false},
		{refused(403, denied, "Invalid signature"), false},
		{refused(403, denied, "Specified Trust Anchor wasn't found."), false},
		{refused(403, denied, "Invalid or empty profile provided."), false},
		{refused(403, denied, "Requested Role isn't one of those listed in the Profile."), false},
		{refused(403, denied, "Not authorized to set roleSessionName"), false},
		{refused(403, denied, "Unable to assume role for ARN. The requested DurationSeconds exceeds the MaxSessionDuration set for this role."), false},
		{refused(400, "ValidationException", "1 validation error detected: Value '1' at 'durationSeconds' failed to satisfy constraint"), false},
		{refused(404, "ResourceNotFoundException", ""), false},
		{refused(http.StatusTooManyRequests, "ThrottlingException", "Rate exceeded"), false},
		{refused(400, "ThrottlingException", "Rate exceeded"), false},
		{refused(500, "InternalServerException", ""), false},
		{&session.APIError{Status: 403, Code: "AccessDenied", RoleARN: "arn:aws:iam::111122223333:role/assumed"}, false},
		{&signer.ValidityError{NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour), Now: now}, false},
		{&session.NetworkError{Host: "h", Err: errors.New("x")}, false},
	} {
		if got := mayBeCertificate(test.err); got != test.want {
			t.Errorf("%v: %t", test.err, got)
		}
	}
}
