package issuance

import (
	"context"
	"fmt"
	"slices"

	"kedge/ca/ledger"
)

// ReopenPlan describes what undoing the finish of a rotation would do.
type ReopenPlan struct {
	Root     string // the old root, which is active again
	Stays    string // the new root, which stays the issuing one
	Done     bool   // the rotation is not finished
	Back     []string
	rotation *Rotation
	all      []ledger.Authority
}

// PlanReopen returns what undoing the last finish would do: the old root, and the authorities that
// were retired with it, become active again, and the rotation is in the phase after the switch. If
// no rotation was finished, or the old root has expired, the error is a *RotationError.
func (s *Service) PlanReopen(ctx context.Context) (*ReopenPlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	switch r.Phase() {
	case PhaseSwitched:
		return &ReopenPlan{Root: r.Old.Name, Stays: r.Next.Name, Done: true}, nil
	case PhaseStarted:
		return nil, &RotationError{fmt.Sprintf("the rotation from %q to %q has not come to the switch: nothing of it is finished", r.Old.Name, r.Next.Name)}
	}
	root := r.lastFinished()
	if root == nil {
		return nil, &RotationError{"no rotation was finished"}
	}
	if now := s.now(); now.After(root.Certificate.NotAfter) {
		return nil, &RotationError{fmt.Sprintf("the old root %q ended on %s: no certificate below it is accepted any more", root.Name, rfc3339(root.Certificate.NotAfter))}
	}
	plan := &ReopenPlan{Root: root.Name, Stays: r.Old.Name, rotation: r}
	for _, a := range r.retiredWith(root) {
		a.State = ledger.Active
		plan.all = append(plan.all, a)
		plan.Back = append(plan.Back, a.Name)
	}
	return plan, nil
}

// Reopen undoes the finish of a rotation. If the authorities have changed since the plan, the error
// is a *RotationError.
func (s *Service) Reopen(ctx context.Context, p *ReopenPlan) error {
	if p.Done {
		return nil
	}
	return s.rotate(ctx, p.rotation, p.all)
}

// lastFinished returns the root that the last finish retired, or nil. An abort retires a root that
// is newer than the one that stays.
func (r *Rotation) lastFinished() *ledger.Authority {
	var last *ledger.Authority
	for i, a := range r.all {
		finished := a.Parent == "" && a.State == ledger.Retired && rootNumber(a.Name) < rootNumber(r.Old.Name)
		if finished && (last == nil || last.Seq < a.Seq) {
			last = &r.all[i]
		}
	}
	return last
}

// retiredWith returns a retired root, first, and the authorities retired together with it: those in
// the entries just before its own, since Retire retires the root last.
func (r *Rotation) retiredWith(root *ledger.Authority) []ledger.Authority {
	all := r.below(root.Name)
	slices.SortFunc(all, func(a, b ledger.Authority) int { return int(b.Seq - a.Seq) })
	var together []ledger.Authority
	for _, a := range all {
		if a.State == ledger.Retired && a.Seq == root.Seq-int64(len(together)) {
			together = append(together, a)
		}
	}
	return together
}
