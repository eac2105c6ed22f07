package session

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// exchange is one call of the service or of STS: the attempts, and what was learnt from them.
type exchange struct {
	*Client
	url       *url.URL
	sign      func(ctx context.Context, at time.Time) (*http.Request, error)
	read      func(answer) (*Session, error)
	check     func(at time.Time) error // its error is why nothing can be signed at that time
	start     time.Time
	attempts  int           // made
	allowed   int           // to be made at most
	offset    time.Duration // of the service's clock from this host's, as the last attempt took it
	corrected bool

	session *Session // the outcome
	err     error
}

// until is the outcome, where limited is ctx with the time limit of the exchange.
func (e *exchange) until(ctx, limited context.Context) (*Session, error) {
	switch {
	case e.err == nil:
		return e.session, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case limited.Err() != nil:
		return nil, e.timeout(e.err)
	}
	return nil, e.err
}

// run makes attempts until one succeeds, or fails for good.
func (e *exchange) run(ctx context.Context) (*Session, error) {
	for {
		e.attempts++
		session, err := e.attempt(ctx)
		if err == nil || ctx.Err() != nil {
			return session, err
		}
		e.cfg.Trace("attempt %d: %v", e.attempts, err)
		if e.correctClock(err) {
			continue
		}
		if e.attempts >= e.allowed || !e.retryer.IsErrorRetryable(err) {
			return nil, err
		}
		if err := e.wait(ctx, err); err != nil {
			return nil, err
		}
	}
}

// attempt sends one request, dated and signed now, and reads its answer.
func (e *exchange) attempt(ctx context.Context) (*Session, error) {
	if e.attempts < e.allowed { // the last one may take what is left
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.cfg.Timeout/time.Duration(e.cfg.MaxAttempts))
		defer cancel()
	}
	if e.corrected {
		if err := e.checkNow(); err != nil {
			return nil, err // the service would say it with other words
		}
	}
	e.offset, _ = e.cfg.Clock.service()
	at := e.cfg.Now().Add(e.offset)
	req, err := e.sign(ctx, at)
	if err != nil {
		return nil, err
	}
	e.cfg.Trace("attempt %d: POST %s, signed for %s at %s, headers %s", e.attempts, req.URL, e.cfg.Region,
		at.UTC().Format(time.RFC3339), strings.Join(slices.Sorted(maps.Keys(req.Header)), " "))
	resp, err := e.cfg.HTTPClient.Do(req)
	if err != nil {
		failed := networkError(e.url.Host, e.attempts, err)
		failed.unread = e.cfg.RootsUnread
		return nil, failed
	}
	received := e.cfg.Now() // before the body, which may take long: it is compared with the Date
	if resp.Body == nil {   // an HTTPClient of the caller's own may leave it out
		resp.Body = http.NoBody
	}
	defer resp.Body.Close()
	if err := e.cfg.proxyRefusal(req, resp); err != nil {
		return nil, networkError(e.url.Host, e.attempts, err)
	}
	a, err := e.receive(resp, received, e.cfg.verified(req, resp))
	if err != nil {
		return nil, err
	}
	e.cfg.Trace("attempt %d: %s, request id %q, %d bytes", e.attempts, statusText(a.status), a.requestID(), len(a.body))
	return e.read(a)
}

// receive takes in the answer, up to its limit, and the service's time from it.
func (e *exchange) receive(resp *http.Response, received time.Time, verified bool) (answer, error) {
	a := answer{host: e.url.Host, status: resp.StatusCode, header: resp.Header, received: received, verified: verified}
	e.cfg.Clock.learn(a)
	body, err := readBody(resp)
	if err != nil && !errors.Is(err, errTooLong) {
		return a, networkError(e.url.Host, e.attempts, err)
	}
	a.body, a.tooLong = body, err != nil
	return a, nil
}

// networkError drops the address that net/http puts in front of its errors: it is long,
// and the host says enough.
func networkError(host string, attempts int, err error) *NetworkError {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return &NetworkError{Host: host, Attempts: attempts, Err: err}
}

// correctClock reports whether another time than the one that was signed with, which the answer
// told, can be the reason for err: for a signature that is refused, and for a certificate that is
// out of its validity by that time. It does so once, and that attempt is not counted.
func (e *exchange) correctClock(err error) bool {
	api, ok := errors.AsType[*APIError](err)
	if !ok || e.corrected || api.Status != http.StatusForbidden {
		return false
	}
	offset, _ := e.cfg.Clock.service()
	if (offset-e.offset).Abs() <= minSkew || !api.invalidSignature() && e.checkNow() == nil {
		return false
	}
	e.cfg.Trace("this host's clock is %s behind the service's: signing again with its time", offset)
	e.corrected = true
	e.allowed++
	return true
}

// checkNow is check by the service's time.
func (e *exchange) checkNow() error {
	if e.check == nil {
		return nil
	}
	return e.check(e.cfg.Clock.Now())
}

// wait pauses before the next attempt. Where that would pass the deadline it gives up at
// once.
func (e *exchange) wait(ctx context.Context, last error) error {
	delay, err := e.delay(last)
	if err != nil {
		return last
	}
	if e.cfg.Now().Sub(e.start)+delay >= e.cfg.Timeout {
		return e.timeout(last)
	}
	e.cfg.Trace("waiting %s before attempt %d", delay.Round(time.Millisecond), e.attempts+1)
	if e.sleep(ctx, delay) != nil {
		return last
	}
	return nil
}

func (e *exchange) timeout(last error) error {
	if _, ok := errors.AsType[*TimeoutError](last); ok {
		return last
	}
	return &TimeoutError{Limit: e.cfg.Timeout, Attempts: e.attempts, Err: last}
}
