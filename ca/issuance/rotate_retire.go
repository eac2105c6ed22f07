package issuance

import (
	"context"
	"fmt"

	"kedge/ca/ledger"
)

// RetirePlan describes what the end of a rotation would do.
type RetirePlan struct {
	Root     string // to be retired, with all below it
	Stays    string // the root that stays
	Done     bool   // it has been done already
	Needed   Tally  // hosts that have no certificate below the root that stays
	rotation *Rotation
}

// PlanFinish returns what the finish of a rotation would do: the old root is retired. Before the
// switch the error is a *RotationError.
func (s *Service) PlanFinish(ctx context.Context) (*RetirePlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	switch r.Phase() {
	case PhaseNone:
		if rootNumber(r.Old.Name) <= r.lastRetired() || r.lastRetired() == 0 {
			return nil, notStarted()
		}
		return &RetirePlan{Stays: r.Old.Name, Done: true}, nil
	case PhaseStarted:
		return nil, &RotationError{fmt.Sprintf("%q still issues; the rotation to %q has not come to the switch", r.Issuing.Name, r.Next.Name)}
	}
	return s.planRetire(ctx, r, r.Old.Name, r.Next.Name)
}

// PlanAbort returns what the abort of a rotation would do: the new root is retired. After the switch
// the error is a *RotationError.
func (s *Service) PlanAbort(ctx context.Context) (*RetirePlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	switch r.Phase() {
	case PhaseNone:
		if rootNumber(r.Old.Name) >= r.lastRetired() {
			return nil, notStarted()
		}
		return &RetirePlan{Stays: r.Old.Name, Done: true}, nil
	case PhaseSwitched:
		return nil, &RotationError{fmt.Sprintf("%q issues already; the rotation to it can only be finished", r.Issuing.Name)}
	}
	return s.planRetire(ctx, r, r.Next.Name, r.Old.Name)
}

func (s *Service) planRetire(ctx context.Context, r *Rotation, root, stays string) (*RetirePlan, error) {
	needed, err := s.Tally(ctx, r, stays)
	return &RetirePlan{Root: root, Stays: stays, Needed: needed, rotation: r}, err
}

// Retire ends a rotation: it retires a root and all below, and makes the root that stays active. If
// the authorities have changed since the plan, the error is a *RotationError.
func (s *Service) Retire(ctx context.Context, p *RetirePlan) error {
	if p.Done {
		return nil
	}
	var all []ledger.Authority
	for _, a := range p.rotation.Roots() {
		if a.Name == p.Stays && a.State != ledger.Active {
			a.State = ledger.Active
			all = append(all, a)
		}
	}
	for _, a := range p.rotation.below(p.Root) {
		if a.State != ledger.Retired {
			a.State, a.Issuing = ledger.Retired, false
			all = append(all, a)
		}
	}
	return s.rotate(ctx, p.rotation, all)
}
