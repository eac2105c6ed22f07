package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/creds"
)

type credentialProcessOptions struct {
	host
	roleFlags
}

func newCredentialProcess(h host, run func(context.Context, *credentialProcessOptions) error) *cobra.Command {
	o := &credentialProcessOptions{host: h}
	cmd := &cobra.Command{
		Use:   "credential-process",
		Short: "Print temporary credentials, as AWS SDKs read them from credential_process",
		Long: `Prints one JSON object with temporary credentials, for credential_process in ~/.aws/config.
It reads neither that file nor AWS_PROFILE.`,
		Example: `  kedge credential-process --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.prepare(cmd, o.host) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd.Flags())
	return cmd
}

func runCredentialProcess(ctx context.Context, o *credentialProcessOptions) error {
	r, err := o.open(o.host, once)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	c, err := r.Retrieve(ctx)
	if err != nil {
		return err
	}
	document, err := creds.Process(c)
	if err != nil {
		return err
	}
	return o.print(document)
}
