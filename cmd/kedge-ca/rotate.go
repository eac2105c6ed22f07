package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/certinfo"
	"kedge/internal/report"
)

func newRotate(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Change the root, with hosts on the old and the new one in between",
		Long: `Change the root of the CA, the trust anchor, without a moment in which a host is refused:
  1. kedge-ca rotate start    makes a new root beside the old one
  2. kedge-ca bundle          has both now: update the trust anchor at AWS with it
  3. kedge-ca rotate switch   certificates come from the new root; renew those of the hosts
  4. kedge-ca rotate status   shows which hosts have moved, and which have not
  5. kedge-ca rotate finish   retires the old root, once no host needs it
  6. kedge-ca bundle          has the new root alone: update the trust anchor at AWS with it
Until step 3 it can be taken back with "kedge-ca rotate abort"; step 5 with "kedge-ca rotate
reopen", while the old root is valid. A step that was interrupted is run again.

The new root has another name, so policies that compare x509Issuer/CN must allow both.`,
		Example: "  kedge-ca rotate status",
	}
	cmd.AddCommand(
		newRotateStart(h, runRotateStart),
		newRotateStatus(h.reader(), runRotateStatus),
		newRotateSwitch(h, runRotateSwitch),
		newRotateFinish(h, runRotateFinish),
		newRotateReopen(h, runRotateReopen),
		newRotateAbort(h, runRotateAbort),
	)
	return cmd
}

// reportRotation writes the state of the rotation after a step.
func (s *store) reportRotation(ctx context.Context, o outputFlags) error {
	if !o.json {
		return nil
	}
	r, err := s.Service.Rotation(ctx)
	if err != nil {
		return err
	}
	return report.WriteJSON(s.host.Out, certinfo.OfRotation(r))
}

// endedOptions are the options of the steps that end a rotation.
type endedOptions struct {
	caOptions
	confirm confirmFlag
}

func (o *endedOptions) add(cmd *cobra.Command) {
	o.caOptions.add(cmd)
	o.confirm.add(cmd)
}

func newRotateFinish(h host, run func(context.Context, *endedOptions) error) *cobra.Command {
	o := &endedOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "finish",
		Short: "Retire the old root, once no host needs it",
		Long: `Retire the old root and the authorities below it: bundle has the new root alone then. It asks,
or needs --yes, when hosts still have a valid certificate of the old root only, and names them;
AWS refuses them once the trust anchor is updated. As long as the old root is valid, "kedge-ca
rotate reopen" takes it back.

The files of the old authorities stay, since their CRLs may still be wanted.`,
		Example: "  kedge-ca rotate finish --yes",
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd)
	return cmd
}

func runRotateFinish(ctx context.Context, o *endedOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	plan, err := s.Service.PlanFinish(ctx)
	if err != nil {
		return err
	}
	if plan.Done {
		o.say(fmt.Sprintf("the rotation to %q is finished already", plan.Stays))
		return s.reportRotation(ctx, o.output)
	}
	if err := o.retire(ctx, s, plan); err != nil {
		return err
	}
	o.say(fmt.Sprintf("retired %q: update the trust anchor at AWS with \"kedge-ca bundle\", which is %q alone now", plan.Root, plan.Stays))
	if text := leftBehind(plan.Needed); text != "" {
		o.warn(text + `: AWS refuses them once the trust anchor is updated; renew them first ("kedge-ca rotate status" lists them), or take it back with "kedge-ca rotate reopen"`)
	}
	return s.reportRotation(ctx, o.output)
}

// leftBehind lists the hosts that need a root to be retired; empty if there are none.
func leftBehind(t issuance.Tally) string {
	if t.Remaining == 0 {
		return ""
	}
	is := "are"
	if t.Remaining == 1 {
		is = "is"
	}
	return fmt.Sprintf("%s %s left behind (%s)", count(t.Remaining, "host"), is, t.AllNames())
}

// retire asks before it retires a root that hosts need.
func (o *endedOptions) retire(ctx context.Context, s *store, plan *issuance.RetirePlan) error {
	if n := plan.Needed.Remaining; n > 0 {
		need := "need"
		if n == 1 {
			need = "needs"
		}
		if err := o.confirm.ask(o.host, fmt.Sprintf("retire %q, which %s %s (%s)?", plan.Root, count(n, "host"), need, plan.Needed.Names())); err != nil {
			return err
		}
	}
	return s.Service.Retire(ctx, plan)
}

func newRotateAbort(h host, run func(context.Context, *endedOptions) error) *cobra.Command {
	o := &endedOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "abort",
		Short: "Take a rotation back, before the switch",
		Long: `Retire the new root and the authorities below it, as long as the old one issues. It asks, or
needs --yes, when hosts have certificates of the new root all the same. The files of the new
root stay; the next rotation makes another.`,
		Example: "  kedge-ca rotate abort",
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd)
	return cmd
}

func runRotateAbort(ctx context.Context, o *endedOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	plan, err := s.Service.PlanAbort(ctx)
	if err != nil {
		return err
	}
	if plan.Done {
		o.say("the rotation is aborted already")
		return s.reportRotation(ctx, o.output)
	}
	if err := o.retire(ctx, s, plan); err != nil {
		return err
	}
	if text := leftBehind(plan.Needed); text != "" {
		o.warn(text + ": renew what they have, for it is of no root that is in use")
	}
	o.say(fmt.Sprintf("retired %q; %q stays the root. If the trust anchor at AWS has both, update it with \"kedge-ca bundle\"", plan.Root, plan.Stays))
	return s.reportRotation(ctx, o.output)
}
