package awsaccount

import (
	"cmp"
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kedge/internal/awssdk"
)

// Config specifies an account. The zero value is that of the environment and of ~/.aws.
type Config struct {
	Profile     string // of ~/.aws/config; empty: as the SDKs select it
	Region      string // empty: as the SDKs find it
	EndpointURL string // of all services, in the place of AWS's; empty: as the SDKs find them
	Limits      Limits // the zero value: DefaultLimits

	Credentials aws.CredentialsProvider             // nil: as the SDKs find them
	Wrap        func(aws.HTTPClient) aws.HTTPClient // around what sends requests to AWS; nil: nothing
	Now         func() time.Time                    // nil: time.Now
	// Sleep waits, or returns an error if the context ends before. nil: it does that.
	Sleep func(context.Context, time.Duration) error
}

// Limits bound requests.
type Limits struct {
	Deadline time.Duration // of a call: its requests, and the time between them
	Attempt  time.Duration // of one request
	Attempts int           // of a call
	Pace     time.Duration // from one change to the next
}

// DefaultLimits are for an operator at a terminal. IAM Roles Anywhere takes one request a second for each kind
// of resource (User Guide, "Quotas").
func DefaultLimits() Limits {
	return Limits{Deadline: time.Minute, Attempt: 10 * time.Second, Attempts: 6, Pace: time.Second}
}

// Account has the clients of an account in a region, for Call. It is safe for concurrent use.
type Account struct {
	RolesAnywhere *rolesanywhere.Client
	IAM           *iam.Client
	STS           *sts.Client
	Region        string

	limits      Limits
	now         func() time.Time
	sleep       func(context.Context, time.Duration) error
	credentials aws.CredentialsProvider
	pace        pacer
}

// Open reads the configuration of the AWS SDKs. It connects to nothing, unless credentials need it. Errors are
// *Error.
func Open(ctx context.Context, c Config) (*Account, error) {
	c.Limits = cmp.Or(c.Limits, DefaultLimits())
	ctx, cancel := context.WithTimeout(ctx, c.Limits.Deadline)
	defer cancel()
	web := awshttp.NewBuildableClient().WithTimeout(c.Limits.Attempt)
	loaded, err := awssdk.Load(ctx, awssdk.Options{Profile: c.Profile, Region: c.Region, Web: web, Credentials: c.Credentials}, "give --region, or set AWS_REGION")
	if err != nil {
		return nil, unconfigured(err)
	}
	if c.EndpointURL != "" {
		loaded.BaseEndpoint = &c.EndpointURL
	}
	if c.Wrap != nil {
		loaded.HTTPClient = c.Wrap(loaded.HTTPClient)
	}
	return newAccount(c, loaded)
}

// Sleep waits by the clock of the account.
func (a *Account) Sleep(ctx context.Context, d time.Duration) error { return a.sleep(ctx, d) }

// Now returns the time by the clock of the account.
func (a *Account) Now() time.Time { return a.now() }

func newAccount(c Config, loaded aws.Config) (*Account, error) {
	a := &Account{
		RolesAnywhere: rolesanywhere.NewFromConfig(loaded, func(o *rolesanywhere.Options) { o.BaseEndpoint = c.endpoint(o.BaseEndpoint) }),
		IAM:           iam.NewFromConfig(loaded, func(o *iam.Options) { o.BaseEndpoint = c.endpoint(o.BaseEndpoint) }),
		STS:           sts.NewFromConfig(loaded, func(o *sts.Options) { o.BaseEndpoint = c.endpoint(o.BaseEndpoint) }),
		Region:        loaded.Region, limits: c.Limits, now: c.Now, sleep: c.Sleep, credentials: loaded.Credentials,
	}
	for _, endpoint := range []*string{a.RolesAnywhere.Options().BaseEndpoint, a.IAM.Options().BaseEndpoint, a.STS.Options().BaseEndpoint} {
		if err := awssdk.CheckEndpoint(endpoint, "--endpoint-url, AWS_ENDPOINT_URL… or endpoint_url"); err != nil {
			return nil, unconfigured(err)
		}
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.sleep == nil {
		a.sleep = sleep
	}
	return a, nil
}

// endpoint returns the endpoint of a service: that of the caller takes precedence over what the SDKs find.
func (c Config) endpoint(found *string) *string {
	if c.EndpointURL != "" {
		return &c.EndpointURL
	}
	return found
}

func unconfigured(err error) error {
	return &Error{Kind: Configuration, Detail: err.Error(), Err: err}
}
