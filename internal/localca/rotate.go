package localca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"kedge/ca/issuance"
)

// Ask asks the user whether to go on with a step. If the user does not agree, it returns an error, and the
// step is not done.
type Ask func(question string) error

// FinishRotation retires the old root, and asks first if hosts need it. It warns of hosts
// that are left behind.
func (c *CA) FinishRotation(ctx context.Context, ask Ask) error {
	plan, err := c.Service.PlanFinish(ctx)
	if err != nil {
		return err
	}
	if plan.Done {
		c.done("the rotation to %q is finished already", plan.Stays)
		return nil
	}
	if err := c.retire(ctx, plan, ask); err != nil {
		return err
	}
	c.done("retired %q: update the trust anchor at AWS with \"kedge-ca bundle\", which is %q alone now", plan.Root, plan.Stays)
	if text := plan.Needed.LeftBehind(); text != "" {
		c.config.Warn(text + `: AWS refuses them once the trust anchor is updated; renew them first ("kedge-ca rotate status" lists them), or take it back with "kedge-ca rotate reopen"`)
	}
	return nil
}

// AbortRotation retires the new root before the switch, and asks first if hosts need it.
func (c *CA) AbortRotation(ctx context.Context, ask Ask) error {
	plan, err := c.Service.PlanAbort(ctx)
	if err != nil {
		return err
	}
	if plan.Done {
		c.done("the rotation is aborted already")
		return nil
	}
	if err := c.retire(ctx, plan, ask); err != nil {
		return err
	}
	if text := plan.Needed.LeftBehind(); text != "" {
		c.config.Warn(text + ": renew what they have, for it is of no root that is in use")
	}
	c.done("retired %q; %q stays the root. If the trust anchor at AWS has both, update it with \"kedge-ca bundle\"", plan.Root, plan.Stays)
	return nil
}

// retire asks before it retires a root that hosts need.
func (c *CA) retire(ctx context.Context, plan *issuance.RetirePlan, ask Ask) error {
	if need := plan.Needed.Need(); need != "" {
		if err := ask(fmt.Sprintf("retire %q, which %s?", plan.Root, need)); err != nil {
			return err
		}
	}
	return c.Service.Retire(ctx, plan)
}

// ReopenRotation takes the finish of a rotation back. It does not ask: AWS trusts the old root again
// only after an update of the trust anchor.
func (c *CA) ReopenRotation(ctx context.Context) error {
	plan, err := c.Service.PlanReopen(ctx)
	if err != nil {
		return err
	}
	if plan.Done {
		c.done("the rotation from %q to %q is not finished", plan.Root, plan.Stays)
		return nil
	}
	if err := c.Service.Reopen(ctx, plan); err != nil {
		return err
	}
	c.done("active again: %s; %q issues as before", strings.Join(plan.Back, ", "), plan.Stays)
	c.done(`the trust anchor at AWS needs both roots again: update it with "kedge-ca bundle"`)
	return nil
}

// SwitchRotation makes the new root, or the authority below it that is named, the issuing one. It
// asks first, unless an earlier run has switched already.
func (c *CA) SwitchRotation(ctx context.Context, to string, ask Ask) error {
	plan, err := c.Service.PlanSwitch(ctx, to)
	if missing, ok := errors.AsType[*issuance.NoKeyError](err); ok {
		err = cmp.Or(c.CheckHasKey(missing.Authority), err)
	}
	if _, ok := errors.AsType[*issuance.AmbiguousError](err); ok {
		return fmt.Errorf("%w; say with --to which is to issue", err)
	}
	if err != nil {
		return err
	}
	if !plan.Again {
		if err := ask(fmt.Sprintf("issue from %q (the trust anchor at AWS must have the bundle of %q and %q)?", plan.To.Name, plan.Old, plan.New)); err != nil {
			return err
		}
	}
	if err := c.Service.Switch(ctx, plan); err != nil {
		return err
	}
	if _, err := c.Service.Links(ctx, plan.To.Name); err != nil {
		c.config.Warn(fmt.Sprintf("%v: hosts that are off until %q is retired do not find %q by themselves; run the same again where the key of %q is", err, plan.Old, plan.New, plan.Old))
	}
	c.done("%q issues from now on: renew the certificates of the hosts; kedge-ca rotate status shows who has moved", plan.To.Name)
	return nil
}
