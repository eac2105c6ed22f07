package awsaccount

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
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

// DefaultLimits are those of an operator who waits. IAM Roles Anywhere takes one request a second for each kind
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
	loaded, err := config.LoadDefaultConfig(ctx, c.options()...)
	if missing, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return nil, unconfigured("there is no profile "+missing.Profile, err)
	}
	if err != nil {
		return nil, unconfigured(whereWrong(err), err)
	}
	if loaded.Region == "" {
		return nil, unconfigured("no region is named: give --region, or set AWS_REGION", nil)
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
		if err := checkEndpoint(endpoint); err != nil {
			return nil, unconfigured(err.Error(), err)
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

func (c Config) options() []func(*config.LoadOptions) error {
	web := c.web()
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // Call repeats, and knows what must not be
		config.WithLogger(logging.Nop{}),                                   // standard error is for our own words
		config.WithHTTPClient(web),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = web }), // it has a client of its own else
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	if c.Credentials != nil {
		options = append(options, config.WithCredentialsProvider(c.Credentials))
	}
	return options
}

// web returns the HTTP client for AWS and for what gives credentials.
func (c Config) web() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(c.Limits.Attempt)
}

// whereWrong returns where an error of the configuration is to be looked for.
func whereWrong(err error) string {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return file.Path + " cannot be read"
	}
	return "see the variables AWS_… that are set, and ~/.aws/config, or the file of AWS_CONFIG_FILE"
}

func unconfigured(detail string, err error) error {
	return &Error{Kind: Configuration, Detail: detail, Err: err}
}
