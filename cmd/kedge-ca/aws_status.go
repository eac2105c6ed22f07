package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"kedge/internal/awsplan"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
	"kedge/internal/report"
)

type awsStatusOptions struct {
	caOptions
	account accountFlags
	check   bool
}

func newAWSStatus(h host, run func(context.Context, *awsStatusOptions) error) *cobra.Command {
	o := &awsStatusOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what of this CA is in an account at AWS",
		Long: `Show what carries the tag of this CA in an account and a region: the trust anchor and its certificates,
the profile and its roles, roles and their policies, revocation lists; and what differs from the roots in use, from
the roles in the configuration, and from those that "aws up" has built by flags, as far as aws.yaml in the CA's
folder has them: whether they are there, their policies, and their trust anchor. Nothing is changed.

With --check the exit code is 1 if something differs.`,
		Example: `  kedge-ca aws status`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd)
	o.account.add(cmd)
	cmd.Flags().BoolVar(&o.check, "check", false, "exit with 1 if something differs")
	return cmd
}

func runAWSStatus(ctx context.Context, s *store, o *awsStatusOptions) error {
	removal, err := s.AWSRemoval(ctx)
	if err != nil {
		return err
	}
	wanted, bad, err := s.AWSDescribed(ctx, s.Settings.AWS)
	if err != nil {
		return err
	}
	account, err := o.account.open(ctx, o.host)
	if err != nil {
		return err
	}
	found, caller, err := awsup.FindAll(ctx, account, awsup.Removal{Owners: removal.Owners, Planned: removal.Policies})
	if err != nil {
		return err
	}
	plan, conflicts := awsplan.Compare(wanted, found)
	place := cadir.Place{Account: found.Account, Region: found.Region}
	needs := removal.Kept(place).Drift(wanted, found)
	for _, err := range slices.Concat(bad, conflicts) {
		needs = append(needs, err.Error())
	}
	if err := s.noteOthers(place); err != nil {
		return err
	}
	status := awsup.NewStatus(removal.Owners, found, caller, plan, needs)
	if o.output.json {
		err = report.WriteJSON(o.Out, status)
	} else {
		err = report.Write(o.Out, []byte(status.String()))
	}
	if err == nil && o.check && len(status.Needs) > 0 {
		err = &needsError{len(status.Needs)}
	}
	return err
}
