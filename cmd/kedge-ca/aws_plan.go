package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/awsup"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type awsPlanOptions struct {
	caOptions
	account accountFlags
	wanted  wantedFlags
	check   bool
}

func newAWSPlan(h host, run func(context.Context, *awsPlanOptions) error) *cobra.Command {
	o := &awsPlanOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what \"aws up\" would change in an account",
		Long: `Show the steps by which an account at AWS becomes what hosts of this CA need: the trust anchor with
its root, or both while it is rotated, a role for each group of hosts, and the profile that gives them. Nothing
is changed, here or at AWS. The credentials are those of an administrator, which the AWS CLI finds as well.

Roles are described under aws: roles: in kedge-ca.yaml, or by --role with --names, --san-uri or --ou, and
--policy. Of roles that flags describe, the others in the profile stay in it. A role's trust policy is that
of "aws policy".

What is there is known by the tag kedge-ca, which holds the hash of the root's key. What has no such tag
is not changed, whatever its name is. Of what differs, the lines that go and that come are shown.

With --check the exit code is 1 if there is something to do.`,
		Example: `  kedge-ca aws plan --role backup --names web-01,web-02 --policy backup.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.wanted.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.account.add(cmd)
	o.wanted.add(cmd)
	cmd.Flags().BoolVar(&o.check, "check", false, "exit with 1 if there is something to do")
	return cmd
}

func runAWSPlan(ctx context.Context, s *store, o *awsPlanOptions) error {
	work, err := s.planAccount(ctx, &o.account, &o.wanted)
	if err != nil {
		return err
	}
	planned := work.planned
	if o.output.json {
		err = report.WriteJSON(o.Out, planned.Document())
	} else {
		err = report.Write(o.Out, []byte(planned.String()))
	}
	if err == nil && o.check && len(planned.Steps)+len(planned.More) > 0 {
		err = &needsError{len(planned.Steps) + len(planned.More)}
	}
	return err
}

// planAccount plans, and writes what a person should know besides to standard error.
func (s *store) planAccount(ctx context.Context, account *accountFlags, wanted *wantedFlags) (*accountWork, error) {
	plan, err := wanted.wanted(ctx, s)
	if err != nil {
		return nil, err
	}
	opened, err := account.open(ctx, s.host)
	if err != nil {
		return nil, err
	}
	planned, err := awsup.Prepare(ctx, opened, plan.Wanted)
	if err != nil {
		return nil, err
	}
	if err := s.CheckRoles(planned); err != nil {
		return nil, err
	}
	s.host.note(plan.Notes)
	if err := s.noteOthers(planned.Place()); err != nil {
		return nil, err
	}
	for _, text := range planned.Notes {
		cli.Say(s.host.Err, name, "note", text)
	}
	for _, more := range planned.More {
		s.host.warn(more.String() + ", which is not planned: hosts that get the role have it, too")
	}
	return &accountWork{plan, planned, opened}, nil
}
