package issuance

import (
	"context"
	"errors"
	"slices"

	"kedge/ca/ledger"
)

// RotationError reports that a step of a rotation is not possible in the current phase.
type RotationError struct{ text string }

func (e *RotationError) Error() string { return e.text }

// changedSince returns the error for a plan whose state is no longer the ledger's.
func changedSince() error {
	return &RotationError{"another process has changed the authorities in the meantime"}
}

func notStarted() error { return &RotationError{"no rotation is under way"} }

// unchanged refuses to act on a state that has changed: the user has confirmed a plan for another
// one.
func (s *Service) unchanged(ctx context.Context, r *Rotation) (*Rotation, error) {
	now, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(now.all, r.all, func(a, b ledger.Authority) bool {
		return a.Name == b.Name && a.State == b.State && a.Issuing == b.Issuing && a.Parent == b.Parent && a.Certificate.Equal(b.Certificate)
	}) {
		return nil, changedSince()
	}
	return now, nil
}

// rotate changes authorities together, if the state is that of the confirmed plan.
func (s *Service) rotate(ctx context.Context, planned *Rotation, all []ledger.Authority) error {
	now, err := s.unchanged(ctx, planned)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.setSince(ctx, now, all...)
}

// setSince changes authorities if no process has changed any authority since the rotation was read.
func (s *Service) setSince(ctx context.Context, r *Rotation, all ...ledger.Authority) error {
	err := s.ledger.SetAuthoritiesSince(ctx, r.all, all...)
	if _, changed := errors.AsType[*ledger.ChangedError](err); changed {
		return changedSince()
	}
	return err
}
