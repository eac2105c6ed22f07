package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
	"kedge/internal/localca"
	"kedge/internal/report"
	"kedge/signer"
)

type awsUpOptions struct {
	caOptions
	confirmFlag
	account accountFlags
	wanted  wantedFlags
	// isNewPlace is --new-place.
	isNewPlace bool
}

func newAWSUp(h host, run func(context.Context, *awsUpOptions) error) *cobra.Command {
	o := &awsUpOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Build what hosts need in an account at AWS",
		Long: `Make an account at AWS what hosts of this CA need, by the steps that "aws plan" shows: they are shown,
and done once you agree, or at once with --yes. Run it again after an interruption, after a change of the
configuration, and when the CA is rotated: it goes on from what is there, and makes nothing twice.

Only what carries the tag of this CA is changed. A policy that a role has beyond the plan stays, and a trust
anchor or a profile that somebody has disabled is enabled: only a person can agree to that, not --yes.

A CA can be in several accounts and regions: run it once with the credentials and the region of each. If this
one is new, and there are others, the question names them, and --yes alone is refused: it takes --new-place, too.

The ARNs are kept in aws.yaml of the CA's folder, from where "kedge-ca serve" gives each host those of the one
role that is for it, in whatever account, if a session of the role was made. At the end each role that is new or
was changed is tried as a host would use it: by a certificate of kind probe, which is in the ledger and whose key
stays in memory. Then the configuration of a host is written to standard output. A role that was not tried with
success is tried again by the next run, and "kedge-ca serve" gives it to no host until then.`,
		Example: `  kedge-ca aws up --role backup --names web-01,web-02 --policy backup.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.wanted.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	o.account.add(cmd)
	o.wanted.add(cmd)
	cmd.Flags().BoolVar(&o.isNewPlace, "new-place", false, "with --yes: build in this account and region also if nothing of this CA is there, and aws.yaml has others")
	o.confirmFlag.add(cmd)
	return cmd
}

func runAWSUp(ctx context.Context, s *store, o *awsUpOptions) error {
	unlock, err := s.LockAccount(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	work, err := s.planAccount(ctx, &o.account, &o.wanted)
	if err != nil {
		return err
	}
	others, err := s.PlacesIfNew(work.planned)
	if err != nil {
		return err
	}
	if len(work.planned.Steps) > 0 {
		if err := s.OpenProbes(ctx, work.plan.Roles); err != nil {
			return err
		}
	}
	if err := o.agree(work.planned, others); err != nil {
		return err
	}
	built, err := work.planned.Do(ctx, work.account, progress(o.host, len(work.planned.Steps)))
	if err != nil {
		return err
	}
	untried, err := o.keep(ctx, s, work, built)
	if err != nil {
		return err
	}
	for _, arn := range untried {
		err := work.tryRole(ctx, s, built, arn)
		if none, ok := errors.AsType[*localca.NoProbeError](err); ok {
			o.warn(none.Error() + ": it was not tried, and kedge-ca serve gives it to no host")
			continue
		}
		if err != nil {
			return err
		}
		if err := s.ChangePlaces(ctx, func(known *cadir.Places) { known.Change(built.Place(), func(at *cadir.AWS) { at.SetTried(arn) }) }); err != nil {
			return err
		}
	}
	return o.finish(s, built)
}

// progress returns what reports each of some steps.
func progress(h host, total int) func(*awsplan.Step) {
	n := 0
	return func(step *awsplan.Step) {
		n++
		h.say(fmt.Sprintf("%d of %d: %s", n, total, step.Text))
	}
}

// agree shows the steps and asks. Without steps there is nothing to agree to. others are the places of this CA if this
// one is new.
func (o *awsUpOptions) agree(p *awsup.Planned, others []cadir.Place) error {
	if len(p.Steps)+len(p.More) == 0 {
		o.say("nothing to do: the account is as planned")
		return nil
	}
	fmt.Fprint(o.Err, p.String())
	if err := p.Unattended(); err != nil && o.yes {
		return err
	}
	if len(others) > 0 && o.yes && !o.isNewPlace {
		return &cadir.NewPlaceError{New: p.Place(), Known: others}
	}
	question := fmt.Sprintf("do this in %s (%s)", p.Place(), report.Count(len(p.Steps), "step"))
	if len(p.More) > 0 {
		question += ", and leave hosts what is not planned"
	}
	question += "?"
	if len(others) > 0 {
		question = fmt.Sprintf("nothing of this CA is in %s yet; it is in %s. %s", p.Place(), cadir.JoinPlaces(others), question)
	}
	return o.ask(o.host, question)
}

// accountWork is a plan with what it takes to do it.
type accountWork struct {
	plan    *localca.AccountPlan
	planned *awsup.Planned
	account *awsaccount.Account
}

// tryRole has a session made of a role. If no certificate can be issued for it, the error is a *localca.NoProbeError.
func (w *accountWork) tryRole(ctx context.Context, s *store, built *awsup.Planned, arn string) error {
	name := path.Base(arn)
	probe, err := s.Probe(ctx, name, w.plan.Roles[name])
	if err != nil {
		return err
	}
	identity, err := signer.NewIdentity(probe.Key, probe.Chain, s.host.inputs.Now())
	if err != nil {
		return err
	}
	if err := built.Probe(ctx, w.account, arn, awsup.Host{Name: probe.Name, Identity: identity, Changed: slices.Contains(w.planned.Changes(), name)}); err != nil {
		return err
	}
	s.host.say(fmt.Sprintf("a host such as %s gets a session of the role %s", probe.Name, name))
	return nil
}

// keep keeps the ARNs of what was built, and returns those of the roles that are to be tried: they are kept as untried, so
// what becomes of a try changes nothing for the commands that use the ARNs.
func (o *awsUpOptions) keep(ctx context.Context, s *store, w *accountWork, built *awsup.Planned) (untried []string, err error) {
	isNew := false
	err = s.ChangePlaces(ctx, func(all *cadir.Places) {
		all.Change(built.Place(), func(at *cadir.AWS) {
			isNew, untried = at.TrustAnchor != built.Anchor, w.planned.Untried(built, at)
			if !w.plan.Wanted.KeepRoles {
				at.DropRoles()
			}
			at.TrustAnchor, at.Profile = built.Anchor, built.Profile
			for i, arn := range built.Roles {
				role := &w.plan.Wanted.Roles[i]
				at.SetRole(role.Name, cadir.BuiltRole{ARN: arn, Policies: role.Policies(), Hosts: w.plan.Hosts[role.Name]})
			}
			at.AddUntried(untried)
		})
	})
	if err != nil || !isNew {
		return untried, err
	}
	needs, err := s.NewAnchorNeeds(ctx)
	o.warnAll(needs)
	return untried, err
}

// finish writes the configuration of a host.
func (o *awsUpOptions) finish(s *store, built *awsup.Planned) error {
	known, err := s.Places()
	if err != nil {
		return err
	}
	kept := known.At(built.Place())
	o.noteServed(s, kept)
	for _, alias := range built.Found.Aliases(built.Anchor, built.Profile) {
		o.say("an alias by which hosts can name it, too: " + alias)
	}
	if o.output.json {
		return report.WriteJSON(o.Out, built.Document())
	}
	return report.Write(o.Out, []byte(kept.HostConfiguration()))
}

// noteServed notes if kedge-ca serve gives hosts other ARNs than these.
func (o *awsUpOptions) noteServed(s *store, kept *cadir.AWS) {
	var notes report.Notes
	configured := s.Settings.Server.AWS
	if configured.TrustAnchorARN != "" && (configured.TrustAnchorARN != kept.TrustAnchor || configured.ProfileARN != kept.Profile) {
		notes.Warn("kedge-ca serve gives hosts what server: aws: in the configuration has, and not this: remove it there, or change it")
	}
	o.note(notes)
}
