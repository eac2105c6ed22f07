package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/awsexport"
	"kedge/internal/report"
)

type awsExportOptions struct {
	caOptions
	wanted wantedFlags
	cli    bool
}

func newAWSExport(h host, run func(context.Context, *awsExportOptions) error) *cobra.Command {
	o := &awsExportOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what \"aws up\" would build as a script",
		Long: `Write what hosts of this CA need in an account at AWS for another tool, which builds it there. It is what
"aws up" would build in an account that has nothing of it, with the same tags. AWS is not asked, and
needs no credentials here.

With --cli it is a script for a POSIX shell and the AWS CLI. It ends before it makes anything if a
name is taken, so that a second run makes nothing twice.

Run "aws up" afterwards: it finds what was built by its tags, tries each role, and keeps the ARNs. Lists of
revoked certificates are not in the export, since each new one replaces them: "aws crl push" brings them.`,
		Example: `  kedge-ca aws export --cli --role backup --names web-01,web-02 --policy backup.json > build.sh`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.wanted.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	o.wanted.add(cmd)
	cmd.Flags().BoolVar(&o.cli, "cli", false, "write a script for the AWS CLI")
	cmd.MarkFlagsOneRequired("cli")
	return cmd
}

func runAWSExport(ctx context.Context, s *store, o *awsExportOptions) error {
	plan, err := o.wanted.wanted(ctx, s)
	if err != nil {
		return err
	}
	text, err := awsexport.Shell(plan.Wanted)
	if err != nil {
		return err
	}
	s.host.note(plan.Notes)
	if plan.Wanted.KeepRoles {
		s.host.warn("the profile in the export has the role " + o.wanted.named + " alone, and no other one that is configured or at AWS")
	}
	return report.Write(o.Out, []byte(text))
}
