package awsaccount

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Kind is what went wrong.
type Kind string

// The kinds of errors.
const (
	Configuration Kind = "configuration"  // the configuration of the AWS SDKs cannot be used
	NoCredentials Kind = "no_credentials" // there are none, or AWS takes them as invalid
	Expired       Kind = "expired"        // the credentials have expired
	Skew          Kind = "skew"           // the clock of this machine is wrong
	Denied        Kind = "denied"         // the credentials lack a right
	Throttled     Kind = "throttled"      // there were too many requests, until the deadline
	Unavailable   Kind = "unavailable"    // AWS had an error of its own, until the deadline
	Slow          Kind = "slow"           // AWS did not answer in time
	Unreachable   Kind = "unreachable"    // no connection, or one that ended without an answer
	NotFound      Kind = "not_found"      // there is no such thing
	Exists        Kind = "exists"         // there is one of that name already
	InUse         Kind = "in_use"         // something else needs it, or changes it
	Limit         Kind = "limit"          // the account has as many as it may
	Refused       Kind = "refused"        // AWS refused the request for another reason
)

// Error is an error of a request.
type Error struct {
	Kind       Kind
	Operation  string        // as in policies, "iam:CreateRole"; empty for what comes before: the configuration, the credentials
	Denial     Denial        // of Denied
	Detail     string        // what completes the text, may be empty
	RetryAfter time.Duration // as AWS asks for; 0: it does not
	Err        error         // may be nil
}

// Denial is what AWS says of a right that is missing. Members that it does not say are empty.
type Denial struct {
	Who      string // ARN
	Action   string // "iam:PassRole", which need not be that of the operation
	Resource string // ARN, or *
	Reason   string // "no identity-based policy allows it"
}

// Unwrap returns the error of the SDK, but none that a deadline has passed: it was that of the request, and not the
// caller's.
func (e *Error) Unwrap() error {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return nil
	}
	return e.Err
}

// Is reports whether an error is an *Error of a kind.
func Is(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}

// MayBeDone reports whether AWS may have changed what it was asked to: it gave no answer, or one about a fault of its
// own.
func (e *Error) MayBeDone() bool {
	_, name, _ := strings.Cut(e.Operation, ":")
	return name != "" && !(operation{name: name}).reads() && (e.Kind == Slow || e.Kind == Unreachable || e.Kind == Unavailable)
}

// repeats reports whether the same request may be made again, and be granted.
func (e *Error) repeats(op operation) bool {
	switch e.Kind {
	case Throttled:
		return true
	case Unavailable, Slow, Unreachable:
		return e.Operation == "" || !op.creates()
	}
	return false
}

func (e *Error) Error() string {
	text := e.what()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func (e *Error) what() string {
	if e.Operation == "" {
		return e.before()
	}
	switch e.Kind {
	case Expired:
		return "the AWS credentials have expired"
	case NoCredentials:
		return "AWS does not accept the credentials"
	case Skew:
		return "AWS refuses requests with the time of this machine's clock"
	case Denied:
		return e.Denial.text(e.Operation)
	case Throttled:
		return "AWS throttles requests, and " + e.Operation + " did not get through in time"
	case Unavailable:
		return "AWS failed by itself to do " + e.Operation
	case Slow:
		return "AWS did not answer " + e.Operation + " in time"
	case Unreachable:
		return "there was no answer to " + e.Operation
	case NotFound:
		return e.Operation + ": there is no such thing at AWS"
	case Exists:
		return e.Operation + ": there is one already"
	case InUse:
		return e.Operation + ": it is in use, or being changed"
	case Limit:
		return e.Operation + ": the account has as many as it may have"
	}
	return "AWS refused " + e.Operation
}

// before is about what precedes requests.
func (e *Error) before() string {
	switch e.Kind {
	case Configuration:
		return "the AWS configuration cannot be used"
	case Throttled, Unavailable, Slow:
		return "what gives the AWS credentials did not give them in time"
	case Expired:
		return "what gives the AWS credentials takes its own as expired"
	}
	return "there are no AWS credentials"
}

func (d Denial) text(operation string) string {
	var b strings.Builder
	b.WriteString("access denied: ")
	if d.Who != "" {
		b.WriteString(d.Who + " ")
	} else {
		b.WriteString("the AWS credentials ")
	}
	b.WriteString("may not do " + d.ActionOf(operation))
	if d.Resource != "" {
		b.WriteString(" on " + d.Resource)
	}
	if d.Reason != "" {
		b.WriteString(": " + d.Reason)
	}
	return b.String()
}

// ActionOf returns the action that was denied: where AWS does not say it, that of the operation.
func (d Denial) ActionOf(operation string) string {
	if d.Action != "" {
		return d.Action
	}
	return operation
}
