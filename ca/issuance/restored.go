package issuance

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// UncomparedError reports that the ledger was restored, and that no list of some authorities was made since: what
// was revoked after the backup would count as valid.
type UncomparedError struct{ Authorities []string }

func (e *UncomparedError) Error() string {
	return fmt.Sprintf("the ledger was restored from a backup, and the last lists were not compared with it since: %s", strings.Join(e.Authorities, ", "))
}

// CheckCompared returns an *UncomparedError if the ledger was restored and an authority that has its key here has
// made no list since. Making one compares: see [Service.PublishCRL].
func (s *Service) CheckCompared(ctx context.Context) error {
	here, _, err := s.ToList(ctx, nil)
	if errors.Is(err, ErrNoKeys) {
		return nil
	}
	if err != nil {
		return err
	}
	uncompared, err := s.ledger.Uncompared(ctx, here)
	if err != nil || len(uncompared) == 0 {
		return err
	}
	e := new(UncomparedError)
	for _, a := range uncompared {
		e.Authorities = append(e.Authorities, a.Name)
	}
	return e
}

// comparedStatus adds that lists have to be compared.
func (s *Service) comparedStatus(ctx context.Context, c *Status) error {
	err := s.CheckCompared(ctx)
	if e, ok := errors.AsType[*UncomparedError](err); ok {
		c.Needs = append(c.Needs, e.Error()+": put the newest published list of each into crl/NAME.der, and run kedge-ca crl")
		return nil
	}
	return err
}
