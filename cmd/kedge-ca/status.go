package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/awsaccount"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type statusOptions struct {
	caOptions
	check   bool
	atAWS   bool
	account awsaccount.Config
}

func newStatus(h host, run func(context.Context, *statusOptions) error) *cobra.Command {
	o := &statusOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the CA is, and what needs doing",
		Long: `Show the authorities and until when they are valid, their lists of what is revoked and when
the next is due, how many certificates there are, which leaves have expired or nearly so and have
no successor, whether the root is being rotated, the head of the ledger, and what needs doing. No
key is read. When a leaf is nearly expired the configuration says under expiry: when a quarter of
its life is left, at first.

Lists that are pushed to IAM Roles Anywhere are compared with what the last push from this folder
recorded, and with --aws with what is there, for which kedge-ca aws permissions crl-status prints the rights.

With --check the exit code is 1 when something needs doing, which is then told on standard
error, and standard output stays empty: for cron and monitoring.`,
		Example: `  kedge-ca status
  kedge-ca status --check`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags := cmd.Flags(); !o.atAWS && (flags.Changed("aws-profile") || flags.Changed("endpoint-url")) {
				return cli.Usagef(cmd, "--aws-profile and --endpoint-url are for --aws")
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	addAWS(cmd, &o.account)
	cmd.Flags().BoolVar(&o.atAWS, "aws", false, "read the lists that IAM Roles Anywhere has")
	cmd.Flags().BoolVar(&o.check, "check", false, "exit with 1 when something needs doing")
	return cmd
}

func runStatus(ctx context.Context, s *store, o *statusOptions) error {
	status, err := s.Service.Status(ctx)
	if err != nil {
		return err
	}
	more, err := o.pushNeeds(ctx, s)
	if err != nil {
		return err
	}
	status.Needs = append(status.Needs, more...)
	switch {
	case o.check && len(status.Needs) > 0:
		for _, need := range status.Needs {
			o.warn(need)
		}
		return &needsError{len(status.Needs)}
	case o.output.json:
		return report.WriteJSON(o.Out, status)
	}
	return certinfo.WriteStatus(o.Out, status)
}

// pushNeeds lists what needs doing about lists at AWS.
func (o *statusOptions) pushNeeds(ctx context.Context, s *store) ([]string, error) {
	if !o.atAWS {
		return s.PushNeeds(ctx)
	}
	return s.ReadNeeds(ctx, o.account)
}

// needsError reports that --check found something to do.
type needsError struct{ n int }

func (e *needsError) Error() string {
	if e.n == 1 {
		return "1 thing needs doing"
	}
	return fmt.Sprintf("%d things need doing", e.n)
}
