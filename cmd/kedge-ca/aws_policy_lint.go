package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/awsadmin"
	"kedge/internal/cadir"
	"kedge/internal/cli"
)

type awsPolicyLintOptions struct {
	caOptions
	file, profile, anchor string
}

func newAWSPolicyLint(h host, run func(context.Context, *awsPolicyLintOptions) error) *cobra.Command {
	o := &awsPolicyLintOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "lint <file>",
		Short: "Check the trust policy of a role, and which hosts get it",
		Long: `Check the trust policy of a role for hosts: whether strangers get the role, whether hosts do, and
what its conditions are often mistaken for, with the source of each rule. The file has the policy
as JSON, or what "aws iam get-role" prints; - is standard input.

It shows which hosts of the ledger get the role, decided as IAM does, with the session tags and the
source identity that their certificates give. Tags are mapped as in a new profile, or as in
the file of --profile-file.

The findings are on standard output also when there are errors, and the exit code is 1 then.`,
		Example: `  kedge-ca aws policy web-01 | kedge-ca aws policy lint -`,
		Args:    exactlyOne("give the file: kedge-ca aws policy lint FILE", "check one policy at a time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.profile, "profile-file", "", "`FILE` with what \"aws rolesanywhere get-profile\" prints: its mappings and duration count")
	flags.StringVar(&o.anchor, "trust-anchor", "", "`ARN` of the trust anchor of the CA; those in aws.yaml of the CA's folder and in the configuration, when not given")
	return cmd
}

// check refuses flags that have no such file or ARN.
func (o *awsPolicyLintOptions) check(cmd *cobra.Command) error {
	if o.profile == "-" {
		return cli.Usagef(cmd, "--profile-file: give a file; standard input is for the policy")
	}
	return checkAnchorFlag(cmd, o.anchor)
}

func runAWSPolicyLint(ctx context.Context, s *store, o *awsPolicyLintOptions) error {
	linter, err := o.linter(s)
	if err != nil {
		return err
	}
	data, err := cadir.ReadInput(o.file, o.inputs.Stdin)
	if err != nil {
		return err
	}
	linted, err := linter.Check(o.file, data, s.Service.Hosts(ctx))
	if err != nil {
		return err
	}
	if len(linter.Anchors) == 0 {
		o.warn("the trust anchor of this CA is not known here, so that of the policy counts as it: give it with --trust-anchor")
	}
	if err := linted.Write(o.Out, o.output.format()); err != nil {
		return err
	}
	return linted.Err()
}

// linter returns what is known of the role's surroundings.
func (o *awsPolicyLintOptions) linter(s *store) (l awsadmin.Linter, err error) {
	l.Now = o.inputs.Now()
	if o.profile != "" {
		data, err := cadir.ReadInput(o.profile, o.inputs.Stdin)
		if err == nil {
			l.Profile, err = awsadmin.ReadMapping(data)
		}
		if err != nil {
			return l, fmt.Errorf("%s: %w", o.profile, err)
		}
	}
	if o.anchor != "" {
		l.Anchors = []string{o.anchor}
		return l, nil
	}
	l.Anchors, err = s.TrustAnchors()
	return l, err
}
