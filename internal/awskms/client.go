package awskms

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"kedge/internal/awssdk"
)

// Limits bound the requests to KMS.
type Limits struct {
	// Deadline bounds an operation: the wait for its turn, its requests, and the time between them.
	// go.step.sm/crypto bounds it to 15 seconds besides.
	Deadline time.Duration
	// Attempt bounds one request.
	Attempt time.Duration
	// Parallel is how many operations may be in progress at once.
	Parallel int
}

// DefaultLimits are those of a CA: a host waits 30 seconds for its certificate. KMS grants hundreds of
// signatures a second to an account in a region (AWS KMS Developer Guide, "Request quotas"), and a
// signature takes some ten milliseconds.
func DefaultLimits() Limits {
	return Limits{Deadline: 10 * time.Second, Attempt: 5 * time.Second, Parallel: 32}
}

// Client makes requests to KMS. It is safe for concurrent use; the keys that it opened share its limits
// and counts.
type Client struct {
	limits Limits
	gate   chan struct{} // has an element for each operation in progress
	counts counts

	mu       sync.Mutex
	services map[place]*service
}

// place is what decides on the credentials and the endpoint.
type place struct{ region, profile string }

// service is KMS in a region, with credentials.
type service struct {
	*kms.Client
	credentials aws.CredentialsProvider
	hanging     string // why the credentials may depend on the CA
	region      string
}

// NewClient returns a client. It reads and connects to nothing yet.
func NewClient(l Limits) *Client {
	return &Client{limits: l, gate: make(chan struct{}, l.Parallel), services: map[place]*service{}}
}

// service returns KMS where the key of a URI is. The configuration of the SDKs is read once for each
// region and profile.
func (c *Client) service(ctx context.Context, u URI) (*service, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := place{u.Region, u.Profile}
	if s := c.services[at]; s != nil {
		return s, nil
	}
	s, err := c.load(ctx, u)
	if err != nil {
		return nil, err
	}
	c.services[at] = s
	return s, nil
}

func (c *Client) load(ctx context.Context, u URI) (*service, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limits.Deadline)
	defer cancel()
	loaded, err := awssdk.Load(ctx, awssdk.Options{Profile: u.Profile, Region: u.Region, Web: c.web()}, "add ;region=REGION, or set AWS_REGION")
	if err != nil {
		return nil, u.unconfigured(err)
	}
	api := kms.NewFromConfig(loaded)
	if err := awssdk.CheckEndpoint(api.Options().BaseEndpoint, "AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL or endpoint_url"); err != nil {
		return nil, u.unconfigured(err)
	}
	return &service{api, loaded.Credentials, hanging(loaded), loaded.Region}, nil
}

// web returns the HTTP client for KMS and for what gives credentials. It bounds each request by itself:
// the cache of credentials fetches them once for all callers, and without the deadline of any.
func (c *Client) web() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(c.limits.Attempt).WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = c.limits.Parallel })
}

func (u URI) unconfigured(err error) error {
	return &Error{Kind: Configuration, Key: u.String(), Detail: err.Error(), Err: err}
}

// operation is a request that is repeated until it is granted, refused, or late.
type operation struct {
	name    string // of KMS
	key     string // for errors
	repeats func(Kind) bool
	request func(context.Context) error
}

// The times between the requests of an operation, before jitter.
const (
	firstWait = 50 * time.Millisecond
	maxWait   = time.Second
)

// call does an operation. Errors are *Error, but for that of a caller that went away.
func (c *Client) call(caller context.Context, s *service, o operation) error {
	ctx, cancel := context.WithTimeout(caller, c.limits.Deadline)
	defer cancel()
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		if err := caller.Err(); err != nil {
			return err
		}
		c.counts.add(o.name, Busy, c.limits.Deadline)
		return &Error{Kind: Busy, Key: o.key, Operation: o.name}
	}
	var before *Error // of the attempt before
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := c.attempt(ctx, s, o)
		if err == nil {
			return nil
		}
		if before != nil && err.Kind == Slow && ctx.Err() != nil {
			err = before // the deadline cut this attempt short, which is no fault of KMS
		}
		before = err
		if gone := caller.Err(); gone != nil && !errors.Is(gone, context.DeadlineExceeded) {
			return gone
		}
		if !o.repeats(err.Kind) || !sleep(ctx, wait/2+rand.N(wait)) {
			return err
		}
	}
}

// attempt makes one request, with credentials that are fetched before: so errors of the two are told
// apart.
func (c *Client) attempt(ctx context.Context, s *service, o operation) *Error {
	ctx, cancel := context.WithTimeout(ctx, c.limits.Attempt)
	defer cancel()
	defer c.counts.begin()()
	if _, err := s.credentials.Retrieve(ctx); err != nil {
		kind := kindOfFetch(ctx, err)
		c.counts.add(o.name, kind, 0)
		return &Error{Kind: kind, Key: o.key, Err: err}
	}
	begun := time.Now()
	err := o.request(ctx)
	if err == nil {
		c.counts.add(o.name, granted, time.Since(begun))
		return nil
	}
	kind, detail := kindOf(ctx, err)
	c.counts.add(o.name, kind, time.Since(begun))
	return &Error{Kind: kind, Key: o.key, Operation: o.name, Detail: detail, Err: err}
}

// sleep waits, and reports whether there is time left after it.
func sleep(ctx context.Context, wait time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
