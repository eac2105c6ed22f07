package session

import (
	"context"
	"net/url"
	"strings"
	"time"

	"kedge/signer"
)

// ChainConfig specifies which roles to assume after CreateSession.
type ChainConfig struct {
	// Roles are assumed in this order. At least one is required.
	Roles []AssumeConfig

	// Endpoint is that of STS, under the same rules as Config.Endpoint. By default it is the
	// one of the Client's region.
	Endpoint string
}

// Chain makes sessions of a role that is assumed with the session of a Client, or of a role
// between them. It is immutable and safe for concurrent use.
type Chain struct {
	client *Client
	url    *url.URL
	roles  []AssumeConfig
	arns   []ARN // of the roles
}

// NewChain checks cfg and makes a Chain. Requests are made as those of c: region, FIPS, dual
// stack, proxy, trusted servers, attempts, clock. It sends nothing. The error is an *ARNError or a
// *ConfigError, whose Field begins with "Assume".
func NewChain(c *Client, cfg ChainConfig) (*Chain, error) {
	if len(cfg.Roles) == 0 {
		return nil, wrong("AssumeRoleARN", "there is no role to assume")
	}
	chain := &Chain{client: c, roles: cfg.Roles}
	for _, role := range cfg.Roles {
		arn, err := parseKind("AssumeRoleARN", role.RoleARN, "role")
		if err != nil {
			return nil, err
		}
		if partition := c.arns.role.Partition; arn.Partition != partition {
			return nil, &ARNError{Field: "AssumeRoleARN", Value: role.RoleARN, Problem: "is not in partition " + partition + ", as the role before it"}
		}
		if err := role.check(); err != nil {
			return nil, err
		}
		chain.arns = append(chain.arns, arn)
	}
	address := c.cfg
	address.Endpoint = cfg.Endpoint
	var err error
	if chain.url, err = stsEndpoint(address, c.arns.trustAnchor.Partition, c.cfg.Region); err != nil {
		if e, ok := err.(*ConfigError); ok { // it is returned bare
			e.Field = "AssumeEndpoint"
		}
		return nil, err
	}
	if chain.url.Path == "" {
		chain.url.Path = "/"
	}
	return chain, nil
}

// Endpoint returns the address of STS, without path, as "https://sts.eu-west-1.amazonaws.com".
func (c *Chain) Endpoint() string { return c.url.Scheme + "://" + c.url.Host }

// CreateSession makes a session with the Client, and assumes the roles from there. What it returns
// is the session of the last role.
//
// Config.Timeout is for all of it, Config.MaxAttempts for each call. The errors are those of
// Client.CreateSession; an *APIError of STS has the role that it is about.
func (c *Chain) CreateSession(ctx context.Context, src signer.Source) (*Session, error) {
	id, err := src.Identity(ctx)
	if err != nil {
		return nil, err
	}
	start := c.client.cfg.Now()
	limited, cancel := context.WithTimeout(ctx, c.client.cfg.Timeout)
	defer cancel()
	e := c.client.createSession(limited, id, start)
	for i := range c.roles {
		if e.err != nil {
			break
		}
		e = c.assume(limited, i, e.session, start)
	}
	return e.until(ctx, limited)
}

// assume is the call for one of the roles, with the session before it.
func (c *Chain) assume(ctx context.Context, i int, from *Session, start time.Time) *exchange {
	role := c.roles[i]
	if role.SessionName == "" {
		role.SessionName = from.name()
	}
	hop := &hop{Chain: c, arn: c.arns[i], body: role.body(), from: from}
	e := &exchange{
		Client: c.client, url: c.url, start: start, allowed: c.client.cfg.MaxAttempts,
		sign: hop.newRequest, read: hop.session,
	}
	c.client.cfg.Trace("assuming %s as %q", hop.arn, role.SessionName)
	e.session, e.err = e.run(ctx)
	if e.err == nil {
		e.session.SubjectARN = from.SubjectARN
	}
	return e
}

// name is the session's, the last part of the assumed role's ARN: the certificate's serial number,
// if nobody chose another.
func (s *Session) name() string {
	return s.AssumedRoleARN[strings.LastIndexByte(s.AssumedRoleARN, '/')+1:]
}
