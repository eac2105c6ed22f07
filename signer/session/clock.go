package session

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	// askTimeout bounds the question for the service's time.
	askTimeout = 5 * time.Second
	// askInterval is the time between two such questions, by the host's clock.
	askInterval = time.Minute
)

// Clock is this host's clock, corrected by what the service's answers say about it. It is the one
// place that has the service's time: what signs requests and what judges certificates share it.
// Only the Date of a verified answer counts (see answer.verified). It is safe for concurrent use.
type Clock struct {
	host func() time.Time

	asking sync.Mutex // held by the one that asks
	asked  time.Time  // by the host's clock
	askErr error

	mu     sync.Mutex // guards the rest
	known  bool
	offset time.Duration
}

// NewClock returns a Clock of which nothing is known but the host's time.
func NewClock(host func() time.Time) *Clock { return &Clock{host: host} }

// Now returns the service's time or, as long as it is not known, the host's.
func (c *Clock) Now() time.Time {
	offset, _ := c.service()
	return c.host().Add(offset)
}

// Known reports whether an answer told the service's time.
func (c *Clock) Known() bool {
	_, known := c.service()
	return known
}

// Skew returns how far the host's clock is behind the service's (negative: ahead); zero when they
// agree to the minute, or when the service's time is not known.
func (c *Clock) Skew() time.Duration {
	offset, _ := c.service()
	return skewOf(offset)
}

func (c *Clock) service() (offset time.Duration, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset, c.known
}

// learn takes the time over from an answer, and reports whether the answer told it.
func (c *Clock) learn(a answer) bool {
	offset, ok := a.offset()
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.known = offset, true
	return true
}

// skewOf leaves out what the precision of a Date and the time of an answer explain.
func skewOf(offset time.Duration) time.Duration {
	if offset.Abs() <= minSkew {
		return 0
	}
	return offset
}

// ServiceTime asks the service for its time: for a certificate that is out of its validity by this
// host's clock, which may be wrong. The request is a HEAD, unsigned; only the answer's Date is used,
// under the rule of [Clock]. It is sent once a minute at most; in between the outcome is the same.
//
// The error is a *NetworkError or *ResponseError: then the time is not known.
func (c *Client) ServiceTime(ctx context.Context) (time.Time, error) {
	clock := c.cfg.Clock
	clock.asking.Lock()
	defer clock.asking.Unlock()
	now := c.cfg.Now()
	if clock.asked.IsZero() || now.Sub(clock.asked).Abs() >= askInterval {
		err := c.askTime(ctx)
		if err != nil && ctx.Err() != nil {
			return time.Time{}, context.Cause(ctx)
		}
		clock.asked, clock.askErr = now, err
	}
	if clock.askErr != nil {
		return time.Time{}, clock.askErr
	}
	return clock.Now(), nil
}

func (c *Client) askTime(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(c.cfg.Timeout, askTimeout))
	defer cancel()
	address := *c.url
	address.RawQuery = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	resp, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return networkError(c.url.Host, 1, err)
	}
	received := c.cfg.Now()
	if resp.Body != nil {
		resp.Body.Close()
	}
	a := answer{host: c.url.Host, status: resp.StatusCode, header: resp.Header, received: received, verified: c.cfg.verified(req, resp)}
	if !c.cfg.Clock.learn(a) {
		if !a.verified {
			return a.wrong("answered over a connection that is not verified, so that its time does not count")
		}
		return a.wrong("answered without its time")
	}
	c.cfg.Trace("the service's clock: %s, this host's: %s", c.cfg.Clock.Now().UTC().Format(time.RFC3339), received.UTC().Format(time.RFC3339))
	return nil
}

// verified reports whether an answer is the service's, so that its Date counts.
//
// With https that is one whose certificate was verified; never with InsecureSkipVerify, whoever
// then answers: a Date moves the time that requests are signed with, and who chooses it gets
// signatures of other times than now.
//
// With plain http it is one from a loopback address, without a proxy. The user named that address,
// it is trusted with the credentials themselves, and nobody but this machine is on the way. What a
// false Date brings about there is no downgrade: a certificate that has expired is sent, which the
// local check would have held back as a courtesy, and the service decides by its own clock. A
// signature of another time is for the loopback host, whose name is signed.
func (cfg Config) verified(req *http.Request, resp *http.Response) bool {
	if cfg.InsecureSkipVerify {
		return false
	}
	if req.URL.Scheme == "https" {
		return resp.TLS != nil && len(resp.TLS.VerifiedChains) > 0
	}
	return isLoopback(req.URL.Hostname()) && !cfg.proxied(req)
}

// proxied reports whether the request goes through a proxy.
func (cfg Config) proxied(req *http.Request) bool {
	if cfg.Proxy == nil {
		return false
	}
	proxy, err := cfg.Proxy(req)
	return proxy != nil || err != nil
}
