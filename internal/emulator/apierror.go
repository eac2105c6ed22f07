package emulator

import (
	"fmt"
	"net/http"
)

// apiError is an error response. The client gets status, code and message; why is written to the
// log only, for a developer on the same machine.
type apiError struct {
	status        int
	code, message string
	why           string
	reasons       []string // of a trust policy, a line each; they follow why in the log
	canonical     string   // the canonical request that was computed, if the signature is wrong
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// The service's messages (field reports). Undocumented messages are where they are used.
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
	// The report does not show the beginning of the message; textAssume is ours.
	textMaxDuration = textAssume + " The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	// The report quotes only these words of the message.
	textTags = "attributes failed to be mapped into session tags"
)

func denied(message, why string, args ...any) *apiError {
	return &apiError{status: http.StatusForbidden, code: "AccessDeniedException", message: message, why: fmt.Sprintf(why, args...)}
}

func invalid(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "ValidationException", message: message}
}

// constraint returns a ValidationException with the message of AWS services that use the same
// framework.
func constraint(field string, value any, rule string) *apiError {
	shown := "null"
	if value != nil {
		shown = fmt.Sprintf("'%v'", value)
	}
	return invalid(fmt.Sprintf("1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must %s", shown, field, rule))
}
