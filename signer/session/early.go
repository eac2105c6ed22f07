package session

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// maxEarly is how long a connection may wait for its request: servers close those that say nothing.
const maxEarly = 5 * time.Second

// Connect starts to connect to the service, and returns what sends the next request to it over that
// connection, and all others as c would: the HTTPClient for a Client of the same service. It is for a
// caller whose key takes its time. What goes wrong is no error: the request connects again, and finds out.
//
// Through a proxy, and with an HTTPClient that is no http.Client with an http.Transport, nothing is
// connected. A connection without a request is closed after some seconds.
func (c *Client) Connect() HTTPClient { return c.connect(maxEarly) }

func (c *Client) connect(wait time.Duration) HTTPClient {
	client, ok := c.cfg.HTTPClient.(*http.Client)
	if !ok {
		return c.cfg.HTTPClient
	}
	t, ok := client.Transport.(*http.Transport)
	if !ok || proxied(t, c.url) {
		return client
	}
	e := &earlyConn{rest: t, to: c.url, opened: make(chan struct{})}
	go e.open(wait)
	early := *client
	early.Transport = e
	return &early
}

func proxied(t *http.Transport, u *url.URL) bool {
	if t.Proxy == nil {
		return false
	}
	proxy, err := t.Proxy(&http.Request{URL: u})
	return proxy != nil || err != nil
}

// earlyConn is a connection without a request, and the transport for the requests after the first.
type earlyConn struct {
	rest   *http.Transport
	to     *url.URL
	used   atomic.Bool
	opened chan struct{}    // closed when the next two are set
	conn   *http.ClientConn // nil: it could not be opened
	expiry *time.Timer      // closes it
}

// open connects; rest limits how long that takes.
func (e *earlyConn) open(wait time.Duration) {
	defer close(e.opened)
	t := e.rest.Clone()
	t.Proxy = nil // it would be asked again, and without the port
	t.DisableKeepAlives = true
	conn, err := t.NewClientConn(context.Background(), e.to.Scheme, net.JoinHostPort(e.to.Hostname(), e.to.Port()))
	if err != nil {
		return
	}
	e.conn, e.expiry = conn, time.AfterFunc(wait, func() { conn.Close() })
}

// RoundTrip implements http.RoundTripper.
func (e *earlyConn) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == e.to.Scheme && req.URL.Host == e.to.Host && !e.used.Swap(true) && e.usable(req.Context()) {
		return e.conn.RoundTrip(req)
	}
	return e.rest.RoundTrip(req)
}

// usable waits for the connection, and reports whether it is good for a request.
func (e *earlyConn) usable(ctx context.Context) bool {
	select {
	case <-e.opened:
		return e.conn != nil && e.expiry.Stop() && e.conn.Err() == nil
	case <-ctx.Done():
		return false
	}
}
