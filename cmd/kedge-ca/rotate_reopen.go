package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// rotateReopenOptions are the options of rotate reopen, which does not ask: AWS trusts the old root
// again only after an update of the trust anchor.
type rotateReopenOptions struct {
	caOptions
}

func newRotateReopen(h host, run func(context.Context, *rotateReopenOptions) error) *cobra.Command {
	o := &rotateReopenOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "reopen",
		Short: "Take the finish of a rotation back, while the old root is valid",
		Long: `Take back what "kedge-ca rotate finish" did, for hosts that were left behind: the old root and the
authorities that were retired with it are active again. The new root issues as before. The trust
anchor at AWS needs both roots again, with "kedge-ca bundle", until the rotation is finished.`,
		Example: "  kedge-ca rotate reopen",
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd)
	return cmd
}

func runRotateReopen(ctx context.Context, o *rotateReopenOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	plan, err := s.Service.PlanReopen(ctx)
	if err != nil {
		return err
	}
	if plan.Done {
		o.say(fmt.Sprintf("the rotation from %q to %q is not finished", plan.Root, plan.Stays))
		return s.reportRotation(ctx, o.output)
	}
	if err := s.Service.Reopen(ctx, plan); err != nil {
		return err
	}
	o.say(fmt.Sprintf("active again: %s; %q issues as before", strings.Join(plan.Back, ", "), plan.Stays))
	o.say(`the trust anchor at AWS needs both roots again: update it with "kedge-ca bundle"`)
	return s.reportRotation(ctx, o.output)
}
