package emulator

import (
	"fmt"
	"net/http"
)

// apiError is an answer that says no. The caller sees status, code and message; why goes to
// the log only, for a developer at the same machine.
type apiError struct {
	status        int
	code, message string
	why           string
	canonical     string // the canonical request that was rebuilt, where the signature was the matter
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// The service's texts (field reports). Texts that nobody documents stand where they are used.
const (
	textSignature    = "Invalid signature"
	textUntrusted    = "Untrusted signing certificate"
	textInsufficient = "Untrusted certificate. Insufficient certificate"
	textRevoked      = "Certificate revoked"
	textAnchor       = "Specified Trust Anchor wasn't found."
	textProfile      = "Invalid or empty profile provided."
	textRoleList     = "Requested Role isn't one of those listed in the Profile."
	textSessionName  = "Not authorized to set roleSessionName"
	textAssume       = "Unable to assume role for ARN."
	// The report has an unknown beginning before this sentence; textAssume in its place is ours.
	textMaxDuration = textAssume + " The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	// The report quotes these words; what stands around them is unknown.
	textTags = "attributes failed to be mapped into session tags"
)

func denied(message, why string, args ...any) *apiError {
	return &apiError{status: http.StatusForbidden, code: "AccessDeniedException", message: message, why: fmt.Sprintf(why, args...)}
}

func invalid(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "ValidationException", message: message}
}

// constraint words a ValidationException as the AWS services that use the same framework do.
func constraint(field string, value any, rule string) *apiError {
	shown := "null"
	if value != nil {
		shown = fmt.Sprintf("'%v'", value)
	}
	return invalid(fmt.Sprintf("1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must %s", shown, field, rule))
}
