package awssdk

import (
	"context"
	"errors"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/smithy-go/logging"
)

// Options specify a configuration. Empty fields mean what the SDKs find.
type Options struct {
	Profile     string // of ~/.aws/config
	Region      string
	Web         *awshttp.BuildableClient // for AWS and for what gives credentials; it bounds each request
	Credentials aws.CredentialsProvider
}

// Error reports a configuration that cannot be used.
type Error struct {
	Detail string // what to change
	Err    error
}

func (e *Error) Error() string { return e.Detail }

// Unwrap returns the SDK's error; nil: there is none.
func (e *Error) Unwrap() error { return e.Err }

// Load reads the configuration. It connects to nothing. Requests are not repeated, since callers know which can be.
// region says how a region can be named, for the error. The error is an *Error.
func Load(ctx context.Context, o Options, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithLogger(logging.Nop{}), // standard error is for our own words
		config.WithHTTPClient(o.Web),
		config.WithEndpointCredentialOptions(func(e *endpointcreds.Options) { e.HTTPClient = o.Web }), // it has a client of its own else
	}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Credentials != nil {
		options = append(options, config.WithCredentialsProvider(o.Credentials))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if missing, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return loaded, &Error{"there is no profile " + missing.Profile, err}
	}
	if err != nil {
		return loaded, &Error{whereWrong(err), err}
	}
	if loaded.Region == "" {
		return loaded, &Error{"no region is named: " + region, nil}
	}
	return loaded, nil
}

// whereWrong returns where an error of the configuration is to be looked for.
func whereWrong(err error) string {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return file.Path + " cannot be read"
	}
	return "see the variables AWS_… that are set, and ~/.aws/config, or the file of AWS_CONFIG_FILE"
}
