package issuance

import (
	"context"
	"errors"
	"slices"

	"kedge/ca/ledger"
)

// RotationError reports that a step of a rotation needs one that is under way, or one that has
// come further.
type RotationError struct{ text string }

func (e *RotationError) Error() string { return e.text }

// changedSince is the error for a plan whose state is no longer the ledger's.
func changedSince() error {
	return &RotationError{"another process has changed the authorities in the meantime"}
}

func notStarted() error { return &RotationError{"no rotation is under way"} }

// unchanged refuses to act on a state that has changed: the person who confirmed the plan saw another.
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

// rotate changes authorities together, as they were in the plan that was confirmed.
func (s *Service) rotate(ctx context.Context, planned *Rotation, all []ledger.Authority) error {
	now, err := s.unchanged(ctx, planned)
	if err != nil || len(all) == 0 {
		return err
	}
	return s.setSince(ctx, now, all...)
}

// setSince changes authorities that nobody else has changed since the rotation was read, nor any other.
func (s *Service) setSince(ctx context.Context, r *Rotation, all ...ledger.Authority) error {
	err := s.ledger.SetAuthoritiesSince(ctx, r.all, all...)
	if _, changed := errors.AsType[*ledger.ChangedError](err); changed {
		return changedSince()
	}
	return err
}
