package awskms

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// Kind is what went wrong. Its text is a label of metrics.
type Kind string

// The kinds of errors.
const (
	Throttled       Kind = "throttled"        // KMS had too many requests until the deadline
	Unavailable     Kind = "unavailable"      // KMS had an error of its own until the deadline
	Busy            Kind = "busy"             // this process makes as many requests as it may, until the deadline
	Slow            Kind = "slow"             // KMS did not answer in time
	Unreachable     Kind = "unreachable"      // no connection to KMS
	Denied          Kind = "denied"           // the credentials lack the right, or the key's policy refuses them
	NoCredentials   Kind = "no_credentials"   // there are none, or KMS takes them as invalid or expired
	Configuration   Kind = "configuration"    // the configuration of the AWS SDKs cannot be used
	NotFound        Kind = "not_found"        // there is no such key in the account and region
	Disabled        Kind = "disabled"         // the key is disabled
	PendingDeletion Kind = "pending_deletion" // the key is scheduled for deletion
	WrongState      Kind = "wrong_state"      // the key is in another state in which it does not sign
	WrongKey        Kind = "wrong_key"        // the key is of a type, or for a usage, that does not sign certificates
	Refused         Kind = "refused"          // KMS refused the request for another reason
)

// Error is an error of a request to KMS. It shows the key and the operation, and no text of others.
type Error struct {
	Kind      Kind
	Key       string // URI of the key; it has no secret
	Operation string // of KMS, as in policies: "Sign"; empty for what comes before: the configuration, the credentials
	Detail    string // what completes the text, may be empty
	Err       error  // may be nil
}

// Unwrap returns the error of the SDK, but none that a deadline has passed: it was that of the requests
// to KMS, and not the caller's. Whoever asks errors.Is for that would take the caller's work as undecided.
func (e *Error) Unwrap() error {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return nil
	}
	return e.Err
}

// Overloaded reports whether this process has too much to do, and nothing else is wrong.
func (e *Error) Overloaded() bool { return e.Kind == Busy }

func (e *Error) Error() string {
	text := e.Key + ": "
	if e.OfCredentials() {
		text += "what gives the AWS credentials " + fetchFailures()[e.Kind]
	} else {
		text += e.what()
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// OfCredentials reports whether the error is of what gives the credentials, and not of KMS.
func (e *Error) OfCredentials() bool { return e.Operation == "" && fetchFailures()[e.Kind] != "" }

// fetchFailures are the kinds of errors of what gives the credentials that may be over a moment later.
func fetchFailures() map[Kind]string {
	return map[Kind]string{Throttled: "throttles requests", Unavailable: "failed, each time", Slow: "did not answer in time"}
}

func (e *Error) what() string {
	switch e.Kind {
	case Throttled:
		return "KMS throttles requests, and " + e.Operation + " did not get through in time"
	case Unavailable:
		return "KMS failed by itself to do " + e.Operation + ", each time"
	case Busy:
		return "too many requests to KMS are in progress here, and " + e.Operation + " found no place in time"
	case Slow:
		return "KMS did not answer " + e.Operation + " in time"
	case Unreachable:
		return "KMS cannot be reached"
	case Denied:
		return "access denied to kms:" + e.Operation
	case NoCredentials:
		return "there are no AWS credentials that KMS accepts"
	case Configuration:
		return "the AWS configuration cannot be used"
	case NotFound:
		return "there is no such key in this account and region"
	case Disabled:
		return "the key is disabled"
	case PendingDeletion:
		return "the key is scheduled for deletion"
	case WrongState:
		return "the key is in a state in which it cannot be used"
	case WrongKey:
		return "the key cannot sign certificates"
	}
	return "KMS refused " + e.Operation
}

// kindOf returns the kind of an error of the SDK, and what completes its text. ctx is that of the
// attempt.
func kindOf(ctx context.Context, err error) (Kind, string) {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return kindOfCode(api.ErrorCode(), api.ErrorMessage(), statusOf(err))
	}
	var timeout net.Error
	switch {
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Slow, ""
	}
	return Unreachable, ""
}

// kindOfFetch returns the kind of an error that came in the place of credentials. Where no connection is
// made there is nothing that gives some: a machine that is not in EC2 has no instance metadata.
func kindOfFetch(ctx context.Context, err error) Kind {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return NoCredentials
	}
	if kind, _ := kindOf(ctx, err); fetchFailures()[kind] != "" {
		return kind
	}
	return NoCredentials
}

func statusOf(err error) int {
	if response, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// kindOfCode classifies the errors of KMS's operations, and those that are common to all services.
//
// Source: AWS KMS API Reference, Sign, GetPublicKey and "Common Errors"; AWS KMS Developer Guide, "Key
// states of AWS KMS keys".
func kindOfCode(code, message string, status int) (Kind, string) {
	switch code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
		"PriorRequestNotComplete":
		return Throttled, ""
	case "KMSInternalException", "KMSInternal", "InternalFailure", "InternalError", "ServiceUnavailable", "ServiceUnavailableException",
		"DependencyTimeout", "DependencyTimeoutException", "KeyUnavailableException":
		return Unavailable, ""
	case "AccessDeniedException", "AccessDenied", "OptInRequired", "NotAuthorized":
		return Denied, ""
	case "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken", "IncompleteSignature", "IncompleteSignatureException",
		"InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return NoCredentials, code
	case "RequestExpired", "RequestTimeTooSkewed":
		return NoCredentials, "the clock of this machine is wrong"
	case "NotFoundException":
		return NotFound, ""
	case "DisabledException":
		return Disabled, ""
	case "KMSInvalidStateException":
		if strings.Contains(message, "pending deletion") { // the message is all that tells the states apart
			return PendingDeletion, ""
		}
		return WrongState, ""
	case "InvalidKeyUsageException", "UnsupportedOperationException":
		return WrongKey, "its type or its usage is another than that of a signing key"
	case "LimitExceededException":
		return Refused, "the account has as many keys or aliases as it may"
	}
	switch {
	case status == 429:
		return Throttled, ""
	case status >= 500:
		return Unavailable, ""
	}
	return Refused, code
}

// repeats reports whether the same request may be granted a moment later.
func (k Kind) repeats() bool {
	return k == Throttled || k == Unavailable || k == Slow || k == Unreachable
}

// TakenError reports that a new key cannot get an alias, since another key has it.
type TakenError struct{ Alias string }

func (e *TakenError) Error() string { return e.Alias + " is the alias of another key already" }

// UnnamedError reports that a key was made and did not get its alias.
type UnnamedError struct {
	Key string // URI, which opens it
	Err error
}

func (e *UnnamedError) Error() string {
	return fmt.Sprintf("the key is made, %s, but it has no alias: %v", e.Key, e.Err)
}

// Unwrap returns why it has no alias.
func (e *UnnamedError) Unwrap() error { return e.Err }

// UnknownError reports that it is not known whether a key was made: the answer was lost.
type UnknownError struct{ Err error }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("it is not known whether a key was made: %v", e.Err)
}

// Unwrap returns why there was no answer.
func (e *UnknownError) Unwrap() error { return e.Err }

// exists reports whether an error is that an alias is taken.
func exists(err error) bool {
	_, ok := errors.AsType[*types.AlreadyExistsException](err)
	return ok
}
