package enrollapi

import (
	"net/http"
	"time"
)

// Code names the reason of a refusal. Hosts branch on it, so none changes its meaning.
type Code string

// The codes of errors.
const (
	BadRequest         Code = "bad_request"
	BadToken           Code = "bad_token" // unknown, or with another secret: the answer does not tell which
	TokenExpired       Code = "token_expired"
	TokenSpent         Code = "token_spent"
	TokenRevoked       Code = "token_revoked"
	WrongNetwork       Code = "wrong_network"
	NameNotAllowed     Code = "name_not_allowed"
	KeyNotAllowed      Code = "key_not_allowed"
	KeyRevoked         Code = "key_revoked"
	Revoked            Code = "revoked"        // the certificate that is renewed
	Denied             Code = "denied"         // by deny-renew, the profile or the policy hook
	Held               Code = "held"           // another key has the name
	Clone              Code = "clone"          // the certificate was renewed before, by another key
	Ended              Code = "ended"          // another enrollment took the place of the certificate
	RequestDenied      Code = "request_denied" // the operator of the CA denied it
	RequestOver        Code = "request_over"   // it was approved, and its certificate is revoked or has expired
	BeyondGrace        Code = "beyond_grace"
	UnknownCertificate Code = "unknown_certificate"
	BadSignature       Code = "bad_signature"
	WrongCA            Code = "wrong_ca" // the audience is another CA's
	Clock              Code = "clock"    // the date is too far from the server's, which the answer's Date has
	NotFound           Code = "not_found"
	MethodNotAllowed   Code = "method_not_allowed"
	NotImplemented     Code = "not_implemented" // an operation of EST that kedge has not
	TooLarge           Code = "too_large"
	SlowDown           Code = "slow_down"
	Internal           Code = "internal"
	Overloaded         Code = "overloaded"
	Unavailable        Code = "unavailable" // the ledger or the CA's key cannot be reached
)

// EndsCertificate reports whether the code refuses every later renewal of the certificate, too, unless the
// operator of the CA takes something back, such as a hold.
func (c Code) EndsCertificate() bool {
	switch c {
	case Revoked, KeyRevoked, Ended, BeyondGrace, UnknownCertificate:
		return true
	}
	return false
}

// Status returns the HTTP status that the code goes with.
func (c Code) Status() int {
	switch c {
	case BadRequest:
		return http.StatusBadRequest
	case BadToken:
		return http.StatusUnauthorized
	case NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case NotImplemented:
		return http.StatusNotImplemented
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case SlowDown:
		return http.StatusTooManyRequests
	case Internal:
		return http.StatusInternalServerError
	case Overloaded, Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusForbidden
}

// Error is a refusal of an enrollment server. A server sends the fields with JSON names, with the
// status of the code; a client fills in the others from the answer.
type Error struct {
	Code       Code   `json:"code"`
	Message    string `json:"message"`
	Hint       string `json:"hint,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds; as the header Retry-After

	Server string    `json:"-"` // the server that refused
	Date   time.Time `json:"-"` // the time at the server; zero when the answer has none
}

func (e *Error) Error() string {
	server := e.Server
	if server == "" {
		server = "the enrollment server"
	}
	if e.Message == "" {
		return server + " refused: " + string(e.Code)
	}
	return server + " refused: " + e.Message
}

// Temporary reports whether the same request may be granted later without anyone doing something.
func (e *Error) Temporary() bool {
	switch e.Code {
	case SlowDown, Internal, Overloaded, Unavailable:
		return true
	}
	return false
}
