package awsaccount

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// classify returns what an error of the SDK is. ctx is that of the attempt.
func classify(ctx context.Context, op operation, now time.Time, err error) *Error {
	e := &Error{Operation: op.String(), Err: err}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		e.Kind = kindOfSilence(ctx, err)
		return e
	}
	code, message := api.ErrorCode(), oneLine(api.ErrorMessage())
	e.Kind = kindOfCode(code, message)
	status, headers := response(err)
	switch {
	case e.Kind != Refused:
	case status == http.StatusTooManyRequests:
		e.Kind = Throttled
	case status >= 500:
		e.Kind = Unavailable
	case status == http.StatusForbidden && message == "":
		e.Kind = Denied
	}
	e.RetryAfter = retryAfter(err, headers)
	switch e.Kind {
	case Denied:
		e.Denial = denial(message)
	case NoCredentials:
		e.Detail = code
		if skew := skewOf(headers, now); skew.Abs() > allowedSkew {
			e.Kind, e.Detail = Skew, describeSkew(skew)
		}
	case Skew:
		e.Detail = describeSkew(skewOf(headers, now))
	case Refused, InUse, Limit, Exists, NotFound:
		e.Detail = message
		if message == "" {
			e.Detail = code
		}
	}
	return e
}

// kindOfSilence returns the kind of an error that no service has sent.
func kindOfSilence(ctx context.Context, err error) Kind {
	var timeout net.Error
	switch {
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Slow
	}
	return Unreachable
}

// kindOfFetch returns the kind of an error that came in the place of credentials. Where no connection is made there
// is nothing that gives some: a machine that is not in EC2 has no instance metadata.
func kindOfFetch(err error) Kind {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch kind := kindOfCode(api.ErrorCode(), api.ErrorMessage()); kind {
		case Throttled, Unavailable, Expired:
			return kind
		}
		return NoCredentials
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Slow
	}
	return NoCredentials
}

// kindOfCode classifies the errors of the operations of IAM Roles Anywhere, IAM and STS, and those that are common to
// all services.
//
// Source: "Common Errors" of their API References, and the errors of each operation.
func kindOfCode(code, message string) Kind {
	switch code {
	case "ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "RequestThrottled", "SlowDown":
		return Throttled
	case "InternalFailure", "InternalError", "InternalServerException", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException", "ServiceFailure", "ServiceFailureException":
		return Unavailable
	case "AccessDeniedException", "AccessDenied", "OptInRequired", "NotAuthorized", "UnauthorizedOperation":
		return Denied
	case "ExpiredTokenException", "ExpiredToken":
		return Expired
	case "RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture":
		return Skew
	case "SignatureDoesNotMatch", "InvalidSignatureException":
		if strings.Contains(message, "Signature expired") || strings.Contains(message, "not yet current") {
			return Skew
		}
		return NoCredentials
	case "UnrecognizedClientException", "InvalidClientTokenId", "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return NoCredentials
	case "NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException":
		return NotFound
	case "EntityAlreadyExists", "EntityAlreadyExistsException":
		return Exists
	case "DeleteConflict", "DeleteConflictException", "ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable":
		return InUse
	case "LimitExceeded", "LimitExceededException", "TooManyTagsException", "ServiceQuotaExceededException":
		return Limit
	}
	return Refused
}

// response returns the status and the header of the answer; 0: there is none.
func response(err error) (int, http.Header) {
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && r.Response != nil {
		return r.Response.StatusCode, r.Response.Header
	}
	return 0, nil
}

// retryAfter returns how long AWS asks to wait.
func retryAfter(err error, headers http.Header) time.Duration {
	if busy, ok := errors.AsType[*types.ServiceUnavailableException](err); ok && busy.RetryAfterSeconds != nil {
		return time.Duration(*busy.RetryAfterSeconds) * time.Second
	}
	seconds, _ := strconv.ParseUint(headers.Get("Retry-After"), 10, 16)
	return time.Duration(seconds) * time.Second
}

// allowedSkew is how far a clock may be off (IAM User Guide, "Signature Version 4": 5 minutes).
const allowedSkew = 5 * time.Minute

// skewOf returns how far the clock of this machine is ahead of that of AWS; 0 if that is not known.
func skewOf(headers http.Header, now time.Time) time.Duration {
	date, err := http.ParseTime(headers.Get("Date"))
	if err != nil {
		return 0
	}
	return now.Sub(date).Round(time.Second)
}

func describeSkew(skew time.Duration) string {
	switch {
	case skew > 0:
		return fmt.Sprintf("it is %v ahead of AWS's", skew)
	case skew < 0:
		return fmt.Sprintf("it is %v behind AWS's", -skew)
	}
	return ""
}

// denial reads the message of AccessDenied (IAM User Guide, "Troubleshoot access denied error messages").
func denial(message string) Denial {
	parts := regexp.MustCompile(`^User: (\S+) is not authorized to perform: (\S+)(?: on resource: (?:\w+ )?(\S+))?(?: (?:because|with) (.*))?$`).FindStringSubmatch(message)
	if parts == nil {
		return Denial{Reason: message}
	}
	d := Denial{Who: parts[1], Action: parts[2], Resource: strings.TrimSuffix(parts[3], "."), Reason: parts[4]}
	if rest, ok := strings.CutSuffix(d.Reason, " allows the "+d.Action+" action"); ok {
		d.Reason = rest + " allows it"
	}
	return d
}

// oneLine returns a message of AWS as a line without control characters, of bounded length.
func oneLine(text string) string {
	const most = 500
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
