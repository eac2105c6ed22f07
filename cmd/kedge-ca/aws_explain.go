package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/awsexplain"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type awsExplainOptions struct {
	caOptions
	account accountFlags
	name    string // of the host
	file    string // with the report of a host
	role    string
}

func newAWSExplain(h host, run func(context.Context, *awsExplainOptions) error) *cobra.Command {
	o := &awsExplainOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "explain <name> | --report <file>",
		Short: "Find out why a host gets no credentials",
		Long: `Find out why a host gets no credentials from IAM Roles Anywhere: its certificate and renewal in the
ledger, the trust anchor, the revocation lists, the profile and the role at AWS, and the trust policy of the
role, evaluated as IAM does for the certificate of this host. The checks are in the order in which they depend
on one another, each with what was seen and what to do, as a command to paste where there is one.

With --report, the host is the one whose "kedge doctor --json" wrote the file: the certificate and the ARNs
are those that it uses, and its report's last check is what the host got. A report can come from a host in the
hands of somebody else: none of the commands in it is shown.

The role is the one that the host can get by aws.yaml and the configuration; --role names another. Nothing is
changed, here or at AWS. "kedge-ca aws permissions explain" writes the least policy for it.

The checks are on standard output also when some failed, and the exit code is 1 then.`,
		Example: `  kedge-ca aws explain web-01
  kedge-ca aws explain --report web-01.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("unexpected argument %q: explain one host at a time, its name in quotes if it has spaces", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.name = args[0]
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.account.add(cmd)
	cmd.Flags().StringVar(&o.file, "report", "", "`FILE` with what \"kedge doctor --json\" prints on the host; - is standard input")
	cmd.Flags().StringVar(&o.role, "role", "", "`NAME` or ARN of the role; the one that the host can get when not given")
	cmd.MarkFlagsMutuallyExclusive("report", "role")
	return cmd
}

func (o *awsExplainOptions) check(cmd *cobra.Command) error {
	switch {
	case o.role == "" && cmd.Flags().Changed("role"):
		return cli.Usagef(cmd, "--role: the name is empty")
	case o.file == "" && cmd.Flags().Changed("report"):
		return cli.Usagef(cmd, "--report: the name of the file is empty")
	case o.name == "" && o.file == "":
		return cli.Usagef(cmd, "name the host: kedge-ca aws explain NAME, or give its report with --report FILE")
	case o.name != "" && o.file != "":
		return cli.Usagef(cmd, "--report: the report names the host; unexpected argument %q", o.name)
	}
	return nil
}

func runAWSExplain(ctx context.Context, s *store, o *awsExplainOptions) error {
	in, err := o.prepare(ctx, s)
	if err != nil {
		return err
	}
	flags := o.account
	if anchor, err := cadir.ParseReference(in.Uses.TrustAnchor, cadir.TrustAnchorARN); err == nil {
		flags.region = cmp.Or(flags.region, anchor.Region)
	}
	account, err := flags.open(ctx, o.host)
	if err != nil {
		return err
	}
	explained, err := s.Explain(ctx, account, in)
	if err != nil {
		return err
	}
	if o.output.json {
		err = report.WriteJSON(o.Out, explained)
	} else {
		err = report.Write(o.Out, []byte(explained.String()))
	}
	if err != nil {
		return err
	}
	return explained.Err()
}

// prepare reads the report, and what the CA has about the host.
func (o *awsExplainOptions) prepare(ctx context.Context, s *store) (*awsexplain.Input, error) {
	q := localca.Question{Name: o.name, Role: o.role, Now: o.inputs.Now()}
	if o.file != "" {
		data, err := cadir.ReadInput(o.file, o.inputs.Stdin)
		if err == nil {
			q.Report, err = awsexplain.ReadHostReport(data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.file, err)
		}
	}
	return s.PrepareExplanation(ctx, q)
}
