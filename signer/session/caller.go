package session

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/signer"
)

// Caller asks STS whose credentials some are: GetCallerIdentity, which needs no permission. It is
// immutable and safe for concurrent use.
type Caller struct {
	client *Client
	url    *url.URL
}

// NewCaller makes one whose requests are made as those of c. endpoint is that of STS, under the rules of
// Config.Endpoint; empty: that of the Client's region. The error is a *ConfigError.
func NewCaller(c *Client, endpoint string) (*Caller, error) {
	cfg := c.cfg
	cfg.Endpoint = endpoint
	if endpoint != "" {
		cfg.FIPS, cfg.DualStack = false, false // they chose the endpoint of the sessions
	}
	address, err := stsEndpoint(cfg, c.arns.trustAnchor.Partition, c.cfg.Region)
	if err != nil {
		return nil, err
	}
	if address.Path == "" {
		address.Path = "/"
	}
	return &Caller{client: c, url: address}, nil
}

// Endpoint returns the address of STS, without path.
func (c *Caller) Endpoint() string { return c.url.Scheme + "://" + c.url.Host }

// ARN returns that of the caller, such as arn:aws:sts::111122223333:assumed-role/name/session. The errors are
// those of Client.CreateSession; an *APIError names no role.
func (c *Caller) ARN(ctx context.Context, credentials aws.Credentials) (string, error) {
	e := &exchange{
		Client: c.client, url: c.url, start: c.client.cfg.Now(), allowed: 1,
		sign: func(ctx context.Context, at time.Time) (*http.Request, error) {
			return c.newRequest(ctx, credentials, at)
		},
		read: c.read,
	}
	s, err := e.run(ctx)
	if err != nil {
		return "", err
	}
	return s.AssumedRoleARN, nil
}

// newRequest makes and signs one request.
func (c *Caller) newRequest(ctx context.Context, credentials aws.Credentials, at time.Time) (*http.Request, error) {
	body := []byte(url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	secret := signer.Secret{AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken}
	maps.Copy(req.Header, signer.SignSecret(signer.Request{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}, secret, c.client.cfg.Region, "sts", at))
	req.Header.Set("User-Agent", c.client.cfg.UserAgent)
	return req, nil
}

// read takes the ARN out of an answer.
func (c *Caller) read(a answer) (*Session, error) {
	texts, ok := xmlTexts(a.body)
	switch arn := texts["GetCallerIdentityResponse>GetCallerIdentityResult>Arn"]; {
	case a.status >= 400:
		return nil, callerRefusal(a)
	case a.tooLong, a.status != http.StatusOK, !ok:
		return nil, a.wrong("answered %s, and not as STS", statusText(a.status))
	case malformed(arn) != "":
		return nil, a.wrong("answered without the ARN of the caller")
	default:
		return &Session{AssumedRoleARN: arn}, nil
	}
}

// callerRefusal returns the error of an answer. No role was asked for, and none is named.
func callerRefusal(a answer) error {
	err := (&hop{}).refusal(a)
	if refusal, ok := errors.AsType[*APIError](err); ok {
		refusal.RoleARN = ""
	}
	return err
}
