package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"kedge/signer"
)

// ARNError reports that an ARN is malformed, is of another kind than its place asks for, or
// does not fit the other two. Nothing was sent.
type ARNError struct {
	Field   string // the field of Config or AssumeConfig, such as "ProfileARN"; empty from ParseARN
	Value   string // as it was given
	Problem string // the rest of a sentence that begins with the value
}

func (e *ARNError) Error() string {
	what := "ARN"
	switch e.Field {
	case "ProfileARN":
		what = "profile ARN"
	case "RoleARN":
		what = "role ARN"
	case "TrustAnchorARN":
		what = "trust anchor ARN"
	case "AssumeRoleARN":
		what = "role ARN"
	}
	if e.Value == "" {
		return what + " " + e.Problem
	}
	return fmt.Sprintf("%s %q %s", what, brief(e.Value), e.Problem)
}

// ConfigError reports that a field of Config, AssumeConfig or ChainConfig cannot be used. Nothing was
// sent.
type ConfigError struct {
	Field   string // the field of Config, such as "Duration"; those of the others begin with "Assume"
	Problem string // the whole sentence
}

func (e *ConfigError) Error() string { return e.Problem }

// APIError is an error answer of the service, or of STS.
//
// Source: User Guide, "CreateSession", and the AWS REST-JSON and query protocols for where code
// and message stand.
type APIError struct {
	// RoleARN is the role of a Chain that was to be assumed; empty for CreateSession.
	RoleARN string

	Status    int    // of HTTP
	Code      string // such as "AccessDeniedException"; empty when the answer has none
	Message   string // one line, cut at some hundred characters; may be empty
	RequestID string // for AWS support; may be empty

	// Identity signed the request; nil for AssumeRole.
	Identity *signer.Identity

	// Skew is how far this host's clock is behind the service's (negative: ahead), as far as
	// the answer's date tells; zero when they agree to the minute.
	Skew time.Duration

	retryAfter time.Duration
}

func (e *APIError) Error() string {
	session := "the session"
	if e.RoleARN != "" {
		session += " of " + e.RoleARN
	}
	what := "AWS refused " + session
	if e.Status >= http.StatusInternalServerError {
		what = "AWS could not make " + session
	}
	code := e.Code
	if code == "" {
		code = statusText(e.Status)
	}
	if e.Message == "" {
		return what + ": " + code
	}
	return what + ": " + code + ": " + e.Message
}

// Throttled reports whether the service had too many requests.
func (e *APIError) Throttled() bool {
	return e.Status == http.StatusTooManyRequests || isThrottle(e.Code)
}

// invalidSignature tells the refusal that a wrong clock causes, among other things.
func (e *APIError) invalidSignature() bool {
	return e.Status == http.StatusForbidden && strings.Contains(strings.ToLower(e.Message), "signature")
}

// ResponseError reports that what answered is not the service, or that its answer is not what
// was asked for. It never quotes the answer, which may hold secrets.
type ResponseError struct {
	Host      string // that answered
	Status    int    // of HTTP
	RequestID string // may be empty
	Problem   string // the rest of a sentence that begins with the host

	retryAfter time.Duration
}

func (e *ResponseError) Error() string { return e.Host + " " + e.Problem }

// NetworkError reports that there was no answer, or only the beginning of one.
type NetworkError struct {
	Host     string // that was asked
	Attempts int    // made so far
	unread   []string
	Err      error // the cause; a *net.OpError, *tls.CertificateVerificationError, *ProxyError, context.DeadlineExceeded...
}

func (e *NetworkError) Error() string {
	attempts := ""
	if e.Attempts > 1 {
		attempts = fmt.Sprintf(" in %d attempts", e.Attempts)
	}
	switch what, unconnected := unconnected(e.Host, e.Err); {
	case unconnected:
		return fmt.Sprintf("cannot connect to %s%s: %s", what, attempts, cause(e.Err))
	case errors.Is(e.Err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer from %s%s: it takes too long", e.Host, attempts)
	}
	text := fmt.Sprintf("no answer from %s%s: %s", e.Host, attempts, cause(e.Err))
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](e.Err); unknown && len(e.unread) > 0 {
		text += "; " + strings.Join(e.unread[:min(len(e.unread), maxUnread)], "; ")
	}
	return text
}

// maxUnread is how many certificates that cannot be read an error names.
const maxUnread = 3

func (e *NetworkError) Unwrap() error { return e.Err }

// Untrusted reports whether the server's certificate was not accepted: another CA bundle is
// needed, or something stands between.
func (e *NetworkError) Untrusted() bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](e.Err)
	return ok
}

// hopeless reports whether the same request will fail the same way: there is no such host, the
// proxy refuses, or the two sides do not agree on TLS.
func (e *NetworkError) hopeless() bool {
	// crypto/tls wraps alerts, whose own type it keeps to itself, in one of these.
	op, ok := errors.AsType[*net.OpError](e.Err)
	alert := ok && (op.Op == "remote error" || op.Op == "local error")
	proxy, ok := errors.AsType[*ProxyError](e.Err)
	refused := ok && !mayPass(proxy.Status)
	return e.Untrusted() || alert || refused || noSuchHost(e.Err) || errors.Is(e.Err, http.ErrSchemeMismatch)
}

// TimeoutError reports that there was no session within Config.Timeout.
type TimeoutError struct {
	Limit    time.Duration
	Attempts int
	Err      error // of the last attempt: *NetworkError, *APIError or *ResponseError
}

func (e *TimeoutError) Error() string {
	attempts := "1 attempt"
	if e.Attempts != 1 {
		attempts = fmt.Sprintf("%d attempts", e.Attempts)
	}
	return fmt.Sprintf("no session within %s (%s): %v", e.Limit, attempts, e.Err)
}

func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout returns true, as net.Error has it.
func (e *TimeoutError) Timeout() bool { return true }
