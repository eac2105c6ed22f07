package role

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/signer/session"
)

// Way is how a role reaches the service, for a program that examines it before anything is signed.
type Way struct {
	client *session.Client
	clock  *session.Clock
}

// Endpoint returns the address of the service, without path, and the host and port of the proxy to it; empty:
// there is none. Its login is left out. The error is one of Check.
func (c *Config) Endpoint() (address, proxy string, err error) {
	cfg := c.session
	cfg.Now = time.Now // it is not asked
	l, err := c.connect(cfg)
	if err != nil {
		return "", "", err
	}
	address = l.client.Endpoint()
	if cfg.Proxy == nil {
		return address, "", nil
	}
	request, err := http.NewRequest(http.MethodPost, address, nil)
	if err != nil {
		return "", "", err
	}
	if u, err := cfg.Proxy(request); err == nil && u != nil {
		proxy = u.Host
	}
	return address, proxy, nil
}

// Way makes the clients that Open makes, with the CA bundle there may be, and sends nothing. The error is one
// of Check or a *config.BundleError.
func (c *Config) Way(h Host) (*Way, error) {
	o := &opening{Config: c, host: h, clock: session.NewClock(h.Now)}
	cfg := c.session
	cfg.Trace, cfg.Now, cfg.Clock, cfg.UserAgent = h.Trace, h.Now, o.clock, h.UserAgent
	var err error
	if o.connection, err = c.connect(cfg); err != nil {
		return nil, err
	}
	if err := o.reach(); err != nil {
		return nil, err
	}
	return &Way{client: o.connection.client, clock: o.clock}, nil
}

// Endpoint returns the address of the service, without path.
func (w *Way) Endpoint() string { return w.client.Endpoint() }

// Region returns the region that is signed for.
func (w *Way) Region() string { return w.client.Region() }

// Ask asks the service for its time, and returns how far this host's clock is behind it. ctx can carry a
// httptrace.ClientTrace. The error is a *RequestError.
func (w *Way) Ask(ctx context.Context) (time.Duration, error) {
	if _, err := w.client.ServiceTime(ctx); err != nil {
		return 0, &RequestError{Err: err}
	}
	return w.clock.Skew(), nil
}

// Caller asks STS at an endpoint, by default that of the region, whose credentials these are. asked is its
// address, without path. The error is a *RequestError or a *session.ConfigError; with the latter nothing was
// asked, and asked is empty.
func (w *Way) Caller(ctx context.Context, endpoint string, credentials aws.Credentials) (arn, asked string, err error) {
	caller, err := session.NewCaller(w.client, endpoint)
	if err != nil {
		return "", "", err // the endpoint may have a login in it
	}
	if arn, err = caller.ARN(ctx, credentials); err != nil {
		return "", caller.Endpoint(), &RequestError{Err: err}
	}
	return arn, caller.Endpoint(), nil
}
