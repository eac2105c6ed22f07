package localca

import (
	"context"
	"fmt"

	"kedge/internal/awscrl"
)

// StaleListError reports that a list which was pushed lacks what was revoked since it was made.
type StaleListError struct {
	Authority string
	Number    int // of changes
}

func (e *StaleListError) Error() string {
	return fmt.Sprintf("the list of %q that was pushed is behind the ledger by %d: what was revoked since it was made still gets sessions", e.Authority, e.Number)
}

// CheckPushed returns an *StaleListError if one of the lists that were pushed lacks what the ledger has revoked.
func (c *CA) CheckPushed(ctx context.Context, pushed []*awscrl.Result) error {
	status, err := c.Service.Status(ctx)
	if err != nil {
		return err
	}
	for _, r := range pushed {
		for _, a := range status.Authorities {
			if a.Name == r.Authority && a.Unlisted > 0 {
				return &StaleListError{Authority: a.Name, Number: a.Unlisted}
			}
		}
	}
	return nil
}
