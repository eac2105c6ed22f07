package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"kedge/internal/creds"
)

type credentialProcessOptions struct {
	host
	roleFlags
	cache cacheFlags
}

func newCredentialProcess(h host, run func(context.Context, *credentialProcessOptions) error) *cobra.Command {
	o := &credentialProcessOptions{host: h}
	o.late = true
	cmd := &cobra.Command{
		Use:   "credential-process",
		Short: "Print temporary credentials, as AWS SDKs read them from credential_process",
		Long: `Prints one JSON object with temporary credentials, for credential_process in ~/.aws/config.
It reads neither that file nor AWS_PROFILE.

Runs with the same settings and certificate share the credentials, as long as more than 15
minutes of them are left: see --cache.`,
		Example: `  kedge credential-process --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>`,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.prepare(cmd, o.host); err != nil {
				return err
			}
			return o.cache.check(cmd)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd.Flags())
	o.cache.add(cmd.Flags())
	return cmd
}

func runCredentialProcess(ctx context.Context, o *credentialProcessOptions) error {
	c, err := o.provider().Retrieve(ctx)
	if err != nil {
		return err
	}
	document, err := creds.Process(c)
	if err != nil {
		return err
	}
	return o.print(document)
}

// provider looks into the cache before anything else is opened. What is wrong with the cache is
// a warning.
func (o *credentialProcessOptions) provider() aws.CredentialsProvider {
	fresh := aws.CredentialsProviderFunc(o.fresh)
	if o.cache.off() {
		return fresh
	}
	key, ok := o.cacheKey()
	if !ok {
		return fresh
	}
	c, err := o.cache.open(o.host, o.timeout, o.trace(o.debug))
	if err != nil {
		o.warn(err.Error())
		return fresh
	}
	return c.Provider(key, fresh)
}

// fresh opens the key and makes a session.
func (o *credentialProcessOptions) fresh(ctx context.Context) (aws.Credentials, error) {
	r, err := o.open(ctx, o.host, once)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer r.Close()
	r.warnOfExpiry(func(text string) { o.warn(text) })
	key := r.hardware()
	ctx, stop := interruptibleIf(ctx, key != nil && key.InTPM()) // else there is nothing to undo: a signal may just kill
	defer stop()
	return r.Retrieve(ctx)
}
