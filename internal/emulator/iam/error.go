package iam

import (
	"fmt"
	"net/http"

	"kedge/internal/emulator/policy"
)

// Error is a refusal of IAM. The client gets status, code and message; the rest is for a log.
type Error struct {
	Status        int
	Code, Message string
	Why           string                 // in our words; may be empty
	Decision      *policy.Decision       // of AccessDenied: what the sender's policies decided
	Request       *policy.Request        // that Decision is about
	Malformed     *policy.MalformedError // of MalformedPolicyDocument
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The errors of the API model (API, "Errors" of each operation).

func noSuchEntity(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: "NoSuchEntity", Message: fmt.Sprintf(format, args...)}
}

func alreadyExists(format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "EntityAlreadyExists", Message: fmt.Sprintf(format, args...)}
}

func deleteConflict(message string) *Error {
	return &Error{Status: http.StatusConflict, Code: "DeleteConflict", Message: message}
}

func limitExceeded(format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "LimitExceeded", Message: fmt.Sprintf(format, args...)}
}

func invalidInput(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: fmt.Sprintf(format, args...)}
}

func unmodifiable(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "UnmodifiableEntity", Message: fmt.Sprintf(format, args...)}
}

// validation is the error for parameters outside of their constraints (API, "Common Errors").
func validation(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// malformed is the error for a policy document that package policy refuses, with IAM's text.
func malformed(err *policy.MalformedError) *Error {
	return &Error{
		Status: http.StatusBadRequest, Code: "MalformedPolicyDocument", Message: err.Message, Why: err.Error(), Malformed: err,
	}
}

// unknownAction: API, "Common Errors", InvalidAction; the text is that of AWS's query services.
func unknownAction(action, version string) *Error {
	return &Error{
		Status: http.StatusBadRequest, Code: "InvalidAction",
		Message: fmt.Sprintf("Could not find operation %s for version %s", action, version),
	}
}

func serviceFailure(err error) *Error {
	return &Error{
		Status: http.StatusInternalServerError, Code: "ServiceFailure", Message: "The request processing has failed because of an unknown error.", Why: err.Error(),
	}
}
