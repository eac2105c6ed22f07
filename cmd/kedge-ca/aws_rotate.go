package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/awsup"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type awsRotateOptions struct {
	caOptions
	confirmFlag
	account accountFlags
}

// errNotBuilt is returned if there is no trust anchor with the tag of this CA.
var errNotBuilt = errors.New("no trust anchor in the account carries the tag of this CA")

func newAWSRotate(h host, run func(context.Context, *awsRotateOptions) error) *cobra.Command {
	o := &awsRotateOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Give the trust anchor at AWS the roots in use",
		Long: `Give the trust anchor of this CA the roots that are in use: both while the root is rotated, then the new one
alone. Run it after "rotate start", before "rotate switch", and after "rotate finish". Roles and the profile
stay as they are: they name the trust anchor, whose ARN does not change. A trust anchor that is disabled stays so.
"aws up" does it, too.`,
		Example: `  kedge-ca aws rotate`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.caOptions.add(cmd)
	o.account.add(cmd)
	o.confirmFlag.add(cmd)
	return cmd
}

func runAWSRotate(ctx context.Context, s *store, o *awsRotateOptions) error {
	unlock, err := s.LockAccount(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	wanted, err := s.AWSAnchor(ctx, s.Settings.AWS)
	if err != nil {
		return err
	}
	account, err := o.account.open(ctx, o.host)
	if err != nil {
		return err
	}
	planned, err := awsup.Prepare(ctx, account, wanted)
	if err != nil {
		return err
	}
	if planned.Anchor == "" {
		return errNotBuilt
	}
	if err := s.noteOthers(planned.Place()); err != nil {
		return err
	}
	for _, text := range planned.Notes {
		cli.Say(o.Err, name, "note", text)
	}
	if err := o.agree(planned); err != nil {
		return err
	}
	built, err := planned.Do(ctx, account, progress(o.host, len(planned.Steps)))
	if err != nil {
		return err
	}
	return o.writeJSON(built.Document())
}

// agree shows the steps, and asks.
func (o *awsRotateOptions) agree(p *awsup.Planned) error {
	if len(p.Steps) == 0 {
		o.say("nothing to do: the trust anchor has the roots in use")
		return nil
	}
	fmt.Fprint(o.Err, p.String())
	return o.ask(o.host, fmt.Sprintf("do this in account %s, %s (%s)?", p.Found.Account, p.Found.Region, report.Count(len(p.Steps), "step")))
}
