package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
)

type rotateSwitchOptions struct {
	caOptions
	confirm confirmFlag
	to      string
}

func newRotateSwitch(h host, run func(context.Context, *rotateSwitchOptions) error) *cobra.Command {
	o := &rotateSwitchOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "switch",
		Short: "Issue from the new root, or from an intermediate below it",
		Long: `Issue from the new root, or from an intermediate below it. It asks, or needs --yes, since the
trust anchor at AWS must have the bundle of both roots before: hosts with new certificates are
refused otherwise. Then renew the certificates of the hosts.

The old root certifies the new one, if its key is here: by that certificate, which "kedge-ca serve"
sends, hosts that know the old root alone find the new one, also after the old one is retired.`,
		Example: "  kedge-ca rotate switch --yes",
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd)
	o.confirm.add(cmd)
	cmd.Flags().StringVar(&o.to, "to", "", "`NAME` of the authority that is to issue; the intermediate below the new root if there is one, or the new root")
	return cmd
}

func runRotateSwitch(ctx context.Context, o *rotateSwitchOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	plan, err := s.Service.PlanSwitch(ctx, o.to)
	if missing, ok := errors.AsType[*issuance.NoKeyError](err); ok {
		return s.CheckHasKey(missing.Authority)
	}
	if is[*issuance.AmbiguousError](err) {
		return fmt.Errorf("%w; say with --to which is to issue", err)
	}
	if err != nil {
		return err
	}
	if !plan.Again {
		if err := o.confirm.ask(o.host, fmt.Sprintf("issue from %q (the trust anchor at AWS must have the bundle of %q and %q)?", plan.To.Name, plan.Old, plan.New)); err != nil {
			return err
		}
	}
	if err := s.Service.Switch(ctx, plan); err != nil {
		return err
	}
	if _, err := s.Service.Links(ctx, plan.To.Name); err != nil {
		o.warn(fmt.Sprintf("%v: hosts that are off until %q is retired do not find %q by themselves; run the same again where the key of %q is", err, plan.Old, plan.New, plan.Old))
	}
	o.say(fmt.Sprintf("%q issues from now on: renew the certificates of the hosts; kedge-ca rotate status shows who has moved", plan.To.Name))
	return s.reportRotation(ctx, o.output)
}
