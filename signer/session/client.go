package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"kedge/signer"
)

// Client makes sessions of one kind: it is a checked Config. It is immutable and safe for
// concurrent use.
type Client struct {
	cfg     Config
	arns    arns
	url     *url.URL // that is posted to
	body    []byte
	retryer *retry.Standard
	sleep   func(context.Context, time.Duration) error // differs in tests only
}

// New checks cfg and makes a Client. It sends nothing. The error is an *ARNError or a
// *ConfigError.
func New(cfg Config) (*Client, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	arns, err := parseARNs(cfg)
	if err != nil {
		return nil, err
	}
	if err := cfg.checkRegion(arns.trustAnchor); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults(arns.trustAnchor.Region)
	address, err := endpoint(cfg, arns.trustAnchor.Partition, cfg.Region)
	if err != nil {
		return nil, err
	}
	address = address.JoinPath("sessions")
	address.RawQuery = arns.query()
	body, err := requestBody(cfg)
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, arns: arns, url: address, body: body, retryer: newRetryer(cfg.MaxAttempts), sleep: sleep}, nil
}

// Endpoint returns the address that sessions are asked from, without path and query, as
// "https://rolesanywhere.eu-west-1.amazonaws.com".
func (c *Client) Endpoint() string { return c.url.Scheme + "://" + c.url.Host }

// Region returns the region that is signed for.
func (c *Client) Region() string { return c.cfg.Region }

// query carries the three ARNs, as the official helper sends them.
func (a arns) query() string {
	return url.Values{
		"trustAnchorArn": {a.trustAnchor.String()},
		"profileArn":     {a.profile.String()},
		"roleArn":        {a.role.String()},
	}.Encode()
}

// requestBody carries the rest. What is left out, the profile decides.
func requestBody(cfg Config) ([]byte, error) {
	return json.Marshal(&struct { // a pointer: for a value encoding/json looks through all types of the program
		DurationSeconds int64  `json:"durationSeconds,omitempty"`
		RoleSessionName string `json:"roleSessionName,omitempty"`
	}{int64(cfg.Duration / time.Second), cfg.RoleSessionName})
}

// CreateSession asks for a session for the identity that src gives now.
//
// Besides the errors that the package describes it returns src's own, the key's, and that
// of ctx when it ends first.
func (c *Client) CreateSession(ctx context.Context, src signer.Source) (*Session, error) {
	id, err := src.Identity(ctx)
	if err != nil {
		return nil, err
	}
	start := c.cfg.Now()
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	return c.createSession(limited, id, start).until(ctx, limited)
}

// createSession is the call, which began at start.
func (c *Client) createSession(ctx context.Context, id *signer.Identity, start time.Time) *exchange {
	e := &exchange{
		Client: c, url: c.url, start: start, allowed: c.cfg.MaxAttempts,
		sign:  func(ctx context.Context, at time.Time) (*http.Request, error) { return c.newRequest(ctx, id, at) },
		read:  func(a answer) (*Session, error) { return a.session(c.arns.role) },
		check: id.CheckTime,
	}
	e.session, e.err = e.run(ctx)
	if api, ok := errors.AsType[*APIError](e.err); ok {
		api.Identity = id
	}
	return e
}

// newRequest makes and signs one request.
func (c *Client) newRequest(ctx context.Context, id *signer.Identity, at time.Time) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	signed, err := signer.Sign(signer.Request{Method: req.Method, URL: req.URL, Header: req.Header, Body: c.body}, id, c.cfg.Region, at)
	if err != nil {
		return nil, err
	}
	for name, values := range signed {
		req.Header[name] = values
	}
	// Not signed: proxies may add to it.
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	return req, nil
}
