package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
	"kedge/internal/localca"
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
		newRotateStart(h, changing(runRotateStart)),
		newRotateStatus(h.reader(), reading(runRotateStatus)),
		newRotateSwitch(h),
		newRotateFinish(h),
		newRotateReopen(h),
		newRotateAbort(h),
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

// stepOptions are the options of a step of a rotation other than start.
type stepOptions struct {
	caOptions
	confirm confirmFlag
}

// rotationStep does a step of a rotation: it reports what it did, and asks before what it should.
type rotationStep func(context.Context, *localca.CA, localca.Ask) error

// addStep makes a command run a step, and adds the flags that every step has.
func addStep(h host, cmd *cobra.Command, step rotationStep) *stepOptions {
	o := &stepOptions{caOptions: caOptions{host: h}}
	o.add(cmd)
	run := changing(func(ctx context.Context, s *store, o *stepOptions) error {
		if err := step(ctx, s.CA, o.confirm.asker(o.host)); err != nil {
			return err
		}
		return s.reportRotation(ctx, o.output)
	})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) }
	return o
}

func newRotateFinish(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "finish",
		Short: "Retire the old root, once no host needs it",
		Long: `Retire the old root and the authorities below it: bundle has the new root alone then. It asks,
or needs --yes, when hosts still have a valid certificate of the old root only, and names them;
AWS refuses them once the trust anchor is updated. As long as the old root is valid, "kedge-ca
rotate reopen" takes it back.

The files of the old authorities stay, since their CRLs may still be wanted.`,
		Example: "  kedge-ca rotate finish --yes",
	}
	o := addStep(h, cmd, func(ctx context.Context, c *localca.CA, ask localca.Ask) error { return c.FinishRotation(ctx, ask) })
	o.confirm.add(cmd)
	return cmd
}

func newRotateAbort(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "abort",
		Short: "Take a rotation back, before the switch",
		Long: `Retire the new root and the authorities below it, as long as the old one issues. It asks, or
needs --yes, when hosts have certificates of the new root all the same. The files of the new
root stay; the next rotation makes another.`,
		Example: "  kedge-ca rotate abort",
	}
	o := addStep(h, cmd, func(ctx context.Context, c *localca.CA, ask localca.Ask) error { return c.AbortRotation(ctx, ask) })
	o.confirm.add(cmd)
	return cmd
}

// newRotateReopen makes the command of rotate reopen, which does not ask.
func newRotateReopen(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reopen",
		Short: "Take the finish of a rotation back, while the old root is valid",
		Long: `Take back what "kedge-ca rotate finish" did, for hosts that were left behind: the old root and the
authorities that were retired with it are active again. The new root issues as before. The trust
anchor at AWS needs both roots again, with "kedge-ca bundle", until the rotation is finished.`,
		Example: "  kedge-ca rotate reopen",
	}
	addStep(h, cmd, func(ctx context.Context, c *localca.CA, _ localca.Ask) error { return c.ReopenRotation(ctx) })
	return cmd
}

func newRotateSwitch(h host) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "switch",
		Short: "Issue from the new root, or from an intermediate below it",
		Long: `Issue from the new root, or from an intermediate below it. It asks, or needs --yes, since the
trust anchor at AWS must have the bundle of both roots before: hosts with new certificates are
refused otherwise. Then renew the certificates of the hosts.

The old root certifies the new one, if its key is here: by that certificate, which "kedge-ca serve"
sends, hosts that know the old root alone find the new one, also after the old one is retired.`,
		Example: "  kedge-ca rotate switch --yes",
	}
	o := addStep(h, cmd, func(ctx context.Context, c *localca.CA, ask localca.Ask) error { return c.SwitchRotation(ctx, to, ask) })
	o.confirm.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "`NAME` of the authority that is to issue; the intermediate below the new root if there is one, or the new root")
	return cmd
}
