package main

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"kedge/internal/creds"
	"kedge/internal/role"
)

type credentialProcessOptions struct {
	host
	roleFlags
	cmd   *cobra.Command
	role  *role.Config
	cache cacheFlags
}

func newCredentialProcess(h host, run func(context.Context, *credentialProcessOptions) error) *cobra.Command {
	o := &credentialProcessOptions{host: h}
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
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.validate(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd.Flags())
	o.cache.add(cmd.Flags())
	return cmd
}

func (o *credentialProcessOptions) validate(cmd *cobra.Command) (err error) {
	o.cmd = cmd
	if err := o.settle(cmd, o.host.environment); err != nil {
		return err
	}
	if o.role, err = o.resolveUnchecked(cmd, o.host); err != nil {
		return err
	}
	return o.cache.check(cmd)
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
	key, ok := o.role.CacheKey()
	if !ok {
		return fresh
	}
	c, err := o.cache.open(o.host, o.said.Timeout, o.trace(o.debug))
	if err != nil {
		o.warn(err.Error())
		return fresh
	}
	return c.Provider(key, fresh)
}

// fresh opens the key and makes a session.
func (o *credentialProcessOptions) fresh(ctx context.Context) (aws.Credentials, error) {
	h := o.forRole(o.debug)
	listen := sync.OnceValues(func() (context.Context, context.CancelFunc) { return interruptible(ctx) })
	stop := func() {}
	h.Protect = func(context.Context) (context.Context, context.CancelFunc) {
		ctx, stop = listen() // to the end: to begin, and to stop, waits for a thread each time
		return ctx, func() {}
	}
	defer func() { go stop() }()
	r, err := role.Open(ctx, o.role, h, role.Once)
	if err != nil {
		return aws.Credentials{}, usage(o.cmd, err)
	}
	defer r.Close()
	r.WarnOfExpiry(func(text string) { o.warn(text) })
	return r.Retrieve(ctx) // for any other key there is nothing to undo: a signal may just kill
}
