package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kedge/internal/awsplan"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type awsDownOptions struct {
	caOptions
	confirmFlag
	account accountFlags
}

func newAWSDown(h host, run func(context.Context, *awsDownOptions) error) *cobra.Command {
	o := &awsDownOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove from an account at AWS what \"aws up\" has built",
		Long: `Delete the profile, the roles, the revocation lists and the trust anchor of this CA in an account and a region: what carries its
tag, and nothing else. What is deleted is shown, and deleted once you agree, or at once with --yes. Hosts
get no sessions any more then; those that they have last until they end. Run it again after an interruption.

A role that has a policy which neither aws.yaml nor the configuration names is deleted only if a person agrees, and
not by --yes. A revocation list or a role that hosts use by a trust anchor which is not deleted stays.
Managed policies stay. The ARNs are removed from aws.yaml of the CA's folder.`,
		Example: `  kedge-ca aws down`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.caOptions.add(cmd)
	o.account.add(cmd)
	o.confirmFlag.add(cmd)
	return cmd
}

func runAWSDown(ctx context.Context, s *store, o *awsDownOptions) error {
	unlock, err := s.LockAccount(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	removal, err := s.AWSRemoval(ctx)
	if err != nil {
		return err
	}
	account, err := o.account.open(ctx, o.host)
	if err != nil {
		return err
	}
	planned, err := awsup.PrepareDown(ctx, account, awsup.Removal{Owners: removal.Owners, Planned: removal.Policies})
	if err != nil {
		return err
	}
	if err := s.noteOthers(planned.Place()); err != nil {
		return err
	}
	for _, text := range planned.Notes {
		cli.Say(o.Err, name, "note", text)
	}
	if len(planned.Steps) == 0 {
		o.say("nothing to do: there is nothing of this CA to delete in the account")
	} else if err := o.agree(planned); err != nil {
		return err
	}
	if err := planned.DoDown(ctx, account, progress(o.host, len(planned.Steps))); err != nil {
		return err
	}
	if err := o.forget(ctx, s, planned); err != nil {
		return err
	}
	return o.writeJSON(planned.Document())
}

// agree shows what is deleted, and asks.
func (o *awsDownOptions) agree(p *awsup.Planned) error {
	fmt.Fprint(o.Err, p.String())
	for _, more := range p.More {
		o.warn(more.String() + ", which neither aws.yaml nor the configuration of this CA names")
	}
	if len(p.More) > 0 && o.yes {
		return &awsplan.LossError{All: p.More}
	}
	return o.ask(o.host, fmt.Sprintf("delete this in account %s, %s (%s)? hosts get no sessions any more", p.Found.Account, p.Found.Region, report.Count(len(p.Steps), "step")))
}

// forget removes the ARNs of what was deleted from the CA's folder.
func (o *awsDownOptions) forget(ctx context.Context, s *store, p *awsup.Planned) error {
	var gone []string
	for _, step := range p.Steps {
		switch step.Change.(type) {
		case awsplan.DeleteAnchor, awsplan.DeleteProfile, awsplan.DeleteRole, awsplan.DeleteCRL:
			gone = append(gone, step.ARN)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.ChangePlaces(ctx, func(known *cadir.Places) {
		known.Forget(func(arn string) bool { return slices.Contains(gone, arn) })
	})
}
