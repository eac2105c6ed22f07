package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/creds"
	"kedge/internal/role"
)

type exportOptions struct {
	host
	roleFlags
	role      *role.Config
	format    string
	awsRegion string
}

func newExport(h host, run func(context.Context, *exportOptions) error) *cobra.Command {
	o := &exportOptions{host: h}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print temporary credentials, for a shell to set",
		Long: `Prints temporary credentials as "aws configure export-credentials" does, in one of the formats

  process        JSON, as credential_process is to print it; the default
  json           the same on several lines
  env            export AWS_ACCESS_KEY_ID=...      sh, bash, zsh
  env-no-export  AWS_ACCESS_KEY_ID=...             sh, bash, zsh; docker run --env-file
  fish           set -gx AWS_ACCESS_KEY_ID "..."
  powershell     $Env:AWS_ACCESS_KEY_ID="..."
  windows-cmd    set AWS_ACCESS_KEY_ID=...

They go stale in that shell when the session ends. For one command, "kedge exec" is better.`,
		Example: `  eval "$(kedge export --format env --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>)"`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.validate(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", "process", "how to print: "+strings.Join(creds.Formats(), ", "))
	flags.StringVar(&o.awsRegion, "aws-region", "", "set AWS_REGION and AWS_DEFAULT_REGION to this, too (default: leave them alone)")
	o.add(flags)
	return cmd
}

func (o *exportOptions) validate(cmd *cobra.Command) (err error) {
	if err := o.settle(cmd, o.host.environment); err != nil {
		return err
	}
	if !slices.Contains(creds.Formats(), o.format) {
		return badValue(cmd, "format", fmt.Errorf("%q is none of %s", o.format, strings.Join(creds.Formats(), ", ")))
	}
	if err := checkRegion(cmd, o.awsRegion); err != nil {
		return err
	}
	if o.awsRegion != "" && (o.format == "process" || o.format == "json") {
		return cli.Usagef(cmd, "--aws-region: the format %s has no place for a region", o.format)
	}
	o.role, err = o.resolve(cmd, o.host)
	return err
}

func runExport(ctx context.Context, o *exportOptions) error {
	c, err := o.retrieve(ctx, o.role, o.debug)
	if err != nil {
		return err
	}
	text, err := creds.Format(o.format, c, o.awsRegion)
	if err != nil {
		return err
	}
	return o.print(text)
}
