package wire

import (
	"fmt"
	"net/http"
)

// Error is an error response. The client gets status, code and message; why is written to the
// log only, for a developer on the same machine.
type Error struct {
	Status        int
	Code, Message string
	Why           string
	Reasons       Reasons // what policies decided; they follow Why in the log
	RetryAfter    int     // retryAfterSeconds of a ServiceUnavailableException; 0: none
	Canonical     string  // the canonical request that was computed, if the signature is wrong
}

// Reasons are why policies refuse a request. Their JSON has the same as their lines, and more.
type Reasons interface{ Lines() []string }

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// NewError returns an error; why is a format for the arguments after it.
func NewError(status int, code, message, why string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: message, Why: fmt.Sprintf(why, args...)}
}

// Denied returns an AccessDeniedException of the REST-JSON protocol.
func Denied(message, why string, args ...any) *Error {
	return NewError(http.StatusForbidden, "AccessDeniedException", message, why, args...)
}

// Invalid returns a ValidationException of the REST-JSON protocol.
func Invalid(message string) *Error {
	return NewError(http.StatusBadRequest, "ValidationException", message, "")
}

// Constraint returns a ValidationException with the message of AWS services that use the same
// framework.
func Constraint(field string, value any, rule string) *Error {
	shown := "null"
	if value != nil {
		shown = fmt.Sprintf("'%v'", value)
	}
	return Invalid(fmt.Sprintf("1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must %s", shown, field, rule))
}

// ForQuery returns a ValidationException with the code that it has in the query protocol. Nil stays
// nil.
func ForQuery(refusal *Error) *Error {
	if refusal != nil {
		refusal.Code = "ValidationError"
	}
	return refusal
}

// ForJSON returns an error of [Authenticate] with the code and the status that it has in the
// REST-JSON protocol ("Common errors" of the services). Nil stays nil.
func ForJSON(refusal *Error) *Error {
	if refusal == nil {
		return nil
	}
	if code, ok := map[string]string{
		"SignatureDoesNotMatch":      "InvalidSignatureException",
		"InvalidClientTokenId":       "UnrecognizedClientException",
		"MissingAuthenticationToken": "MissingAuthenticationTokenException",
		"IncompleteSignature":        "IncompleteSignatureException",
		"ExpiredToken":               "ExpiredTokenException",
	}[refusal.Code]; ok {
		refusal.Code = code
	}
	return refusal
}
