package session

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// maxWait bounds a pause, whatever the server asks for.
const maxWait = retry.DefaultMaxBackoff

// newRetryer is the standard retryer of the SDK with its exponential backoff and full
// jitter, and this package's own errors. Its quota over many calls is left out: whoever
// renews sessions has a pace of their own.
//
// Source: AWS SDKs and Tools Reference Guide, "Retry behavior".
func newRetryer(attempts int) *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.NewExponentialJitterBackoff(maxWait)
		o.RateLimiter = ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(retryable)}
	})
}

// retryable reports whether the same request may succeed later.
func retryable(err error) aws.Ternary {
	if e, ok := errors.AsType[*APIError](err); ok {
		return aws.BoolTernary(e.Throttled() || mayPass(e.Status))
	}
	if e, ok := errors.AsType[*ResponseError](err); ok {
		return aws.BoolTernary(mayPass(e.Status))
	}
	if e, ok := errors.AsType[*NetworkError](err); ok {
		return aws.BoolTernary(!e.hopeless())
	}
	return aws.FalseTernary
}

func mayPass(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
}

func isThrottle(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// noSuchHost tells a host that does not exist from a resolver that does not answer. As in
// the SDK, the first is not tried again.
func noSuchHost(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// delay is how long to pause after the attempts so far: the backoff, or what the server
// asked for if that is longer.
func (e *exchange) delay(last error) (time.Duration, error) {
	delay, err := e.retryer.RetryDelay(e.attempts-1, last)
	asked := time.Duration(0)
	if api, ok := errors.AsType[*APIError](last); ok {
		asked = api.retryAfter
	}
	if resp, ok := errors.AsType[*ResponseError](last); ok {
		asked = resp.retryAfter
	}
	return max(delay, min(asked, maxWait)), err
}

// retryAfter reads the header Retry-After, RFC 9110 10.2.3: seconds, or a date by the
// server's clock. Anything else is as good as none.
func retryAfter(h http.Header, serverNow time.Time) time.Duration {
	value := h.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(n, 0), int(maxWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(serverNow), 0)
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
