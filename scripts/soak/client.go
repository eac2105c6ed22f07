//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// perToken is how many requests a client makes with one token of IMDSv2.
const perToken = 500

// client asks one endpoint, one request after the other, as an SDK would.
type client struct {
	judge     *judge
	http      *http.Client
	metadata  string // URL of IMDS
	container string // URL of the credentials; empty for IMDS
	tokenFile string
	rest      time.Duration // between requests

	token string // of IMDSv2, or for the container endpoint
	role  string
	last  given
}

func (c *client) close() { c.http.CloseIdleConnections() }

// run sends requests until ctx ends, or an answer is wrong.
func (c *client) run(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; n++ {
		if n%perToken == 0 {
			c.token = ""
		}
		err := c.once(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errNobody) && c.judge.ending.Load():
			return nil
		default:
			return err
		}
		pause(ctx, c.rest)
	}
	return nil
}

var errNobody = errors.New("kedge serve does not answer")

func (c *client) once(ctx context.Context) error {
	if c.token == "" {
		if err := c.begin(ctx); err != nil {
			return err
		}
	}
	url, header := c.container, "Authorization"
	if url == "" {
		url, header = c.metadata+"latest/meta-data/iam/security-credentials/"+c.role, "X-Aws-Ec2-Metadata-Token"
	}
	question := c.judge.ask()
	status, body, err := c.do(ctx, http.MethodGet, url, header, c.token)
	if err != nil {
		return err
	}
	got, err := c.judge.hear(question, status, body)
	if err != nil || got.id == "" {
		return err
	}
	if got.expires.Before(c.last.expires) {
		return fmt.Errorf("a client got credentials until %s after others until %s", clock(got.expires), clock(c.last.expires))
	}
	c.last = got
	return nil
}

// begin gets the header to send with each request, and for IMDS the name of the role.
func (c *client) begin(ctx context.Context) error {
	if c.container != "" {
		data, err := os.ReadFile(c.tokenFile)
		if err != nil && c.judge.ending.Load() {
			return fmt.Errorf("%w: %w", errNobody, err)
		}
		c.token = string(data)
		return err
	}
	token, err := c.words(ctx, http.MethodPut, "latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	if err != nil {
		return err
	}
	c.token = token
	c.role, err = c.words(ctx, http.MethodGet, "latest/meta-data/iam/security-credentials/", "X-Aws-Ec2-Metadata-Token", token)
	if err == nil && c.role != "kedge" {
		err = fmt.Errorf("the list of roles is %q", c.role)
	}
	return err
}

// words requests a document that IMDS answers at all times.
func (c *client) words(ctx context.Context, method, path, header, value string) (string, error) {
	status, body, err := c.do(ctx, method, c.metadata+path, header, value)
	if err != nil {
		return "", err
	}
	c.judge.requests.Add(1)
	if status != http.StatusOK {
		return "", fmt.Errorf("%s %s was answered with status %d", method, path, status)
	}
	return strings.TrimSpace(string(body)), nil
}

func (c *client) do(ctx context.Context, method, url, header, value string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set(header, value)
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errNobody, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("%w to the end: %w", errNobody, err)
	}
	return response.StatusCode, body, nil
}
