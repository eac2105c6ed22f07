package awsup

import (
	"context"
	"slices"

	"kedge/internal/awsplan"
)

// ChangedError reports that somebody has changed an object between the plan and the step that would overwrite it: the
// change stays, and nobody has agreed to undo it.
type ChangedError struct {
	ARN  string
	Step string // its text
}

func (e *ChangedError) Error() string {
	return e.ARN + " is not what it was when the steps were shown: somebody has changed it meanwhile, and it stays so; not done: " + e.Step
}

// mayReplace reads what a step overwrites once more, and reports whether the step is still to be done: not if somebody
// has done the same. If there is something else than what the plan was made from, the error is a *ChangedError.
func (r *run) mayReplace(ctx context.Context, s *awsplan.Step, change awsplan.Change) (bool, error) {
	needed, err := r.needed(ctx, s)
	if err != nil {
		return false, err
	}
	now := r.found.Replaced(change)
	switch {
	case slices.Equal(now, r.planned.Replaced(change)):
		return needed, nil
	case !needed && now != nil:
		return false, nil
	}
	return false, &ChangedError{ARN: s.ARN, Step: s.Text}
}
