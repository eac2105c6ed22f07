package issuance

import (
	"context"
	"fmt"

	"kedge/ca/ledger"
)

// AmbiguousError reports that there are several authorities below a root to choose from.
type AmbiguousError struct {
	Root  string
	Names []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("several intermediates are below %q", e.Root)
}

// SwitchPlan describes what the switch of a rotation would do.
type SwitchPlan struct {
	To       ledger.Authority // becomes the issuing one
	Old, New string           // the roots
	Again    bool             // an authority below the new root issues already
	rotation *Rotation
}

// PlanSwitch returns what the switch of a rotation would do: to the authority with a name, below
// the new root, or when the name is empty to the only intermediate there, or to the root itself.
// Typed errors: *RotationError, *UnknownAuthorityError, *AmbiguousError, *NoKeyError and
// *RevokedAuthorityError.
func (s *Service) PlanSwitch(ctx context.Context, name string) (*SwitchPlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	if r.Next == nil {
		return nil, notStarted()
	}
	to, err := r.switchTarget(name)
	if err != nil {
		return nil, err
	}
	here, err := s.keys.Has(to.Name)
	if err == nil && !here {
		err = &NoKeyError{to.Name}
	}
	if err != nil {
		return nil, err
	}
	path, err := s.Path(ctx, to.Name)
	if err != nil {
		return nil, err
	}
	plan := &SwitchPlan{To: to, Old: r.Old.Name, New: r.Next.Name, Again: r.Phase() == PhaseSwitched, rotation: r}
	return plan, s.NotRevoked(ctx, path)
}

// switchTarget returns the authority to switch to.
func (r *Rotation) switchTarget(name string) (ledger.Authority, error) {
	var usable []ledger.Authority
	for _, a := range r.below(r.Next.Name) {
		if a.State != ledger.Retired {
			usable = append(usable, a)
		}
	}
	var names []string
	for _, a := range usable {
		if names = append(names, a.Name); a.Name == name {
			return a, nil
		}
	}
	switch {
	case name != "":
		return ledger.Authority{}, fmt.Errorf("%q is not below the new root %q: %w", name, r.Next.Name, &UnknownAuthorityError{name, names})
	case r.Phase() == PhaseSwitched:
		return r.Issuing, nil
	case len(usable) <= 2:
		return usable[0], nil // the root comes last
	}
	return ledger.Authority{}, &AmbiguousError{r.Next.Name, names}
}

// Switch makes an authority below the new root the issuing one, and all below the new root active.
// If the authorities have changed since the plan, the error is a *RotationError.
func (s *Service) Switch(ctx context.Context, p *SwitchPlan) error {
	var all []ledger.Authority
	for _, a := range p.rotation.below(p.New) {
		switch {
		case a.Name == p.To.Name && (!a.Issuing || a.State != ledger.Active):
			a.Issuing, a.State = true, ledger.Active
		case a.Name != p.To.Name && a.State == ledger.Next:
			a.State = ledger.Active
		default:
			continue
		}
		all = append(all, a)
	}
	return s.rotate(ctx, p.rotation, all)
}
