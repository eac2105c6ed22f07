package issuance

import (
	"context"
	"errors"
	"fmt"

	"kedge/ca/ledger"
)

// ErrNoKeys is returned if there is no valid authority whose key is here to sign a CRL.
var ErrNoKeys = errors.New("no authority that is in date has its key here")

// ToList returns the authorities whose CRLs to make: those named, or all that have their key here
// and have not expired; if there is none, the error is ErrNoKeys. It warns of an authority that has
// revoked something and whose key is elsewhere.
func (s *Service) ToList(ctx context.Context, names []string) (here []ledger.Authority, warnings []string, err error) {
	if len(names) > 0 {
		here, err = s.named(ctx, names)
		return here, nil, err
	}
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	for _, a := range all {
		if now.After(a.Certificate.NotAfter) {
			continue
		}
		keyed, err := s.keys.Has(a.Name)
		if err != nil {
			return nil, warnings, err
		}
		if keyed {
			here = append(here, a)
			continue
		}
		revoked, err := s.revoked(ctx, a, now)
		if err != nil {
			return nil, warnings, err
		}
		if len(revoked) > 0 {
			warnings = append(warnings, fmt.Sprintf("the list of %q is not made: its key is not here, and it has revoked %s", a.Name, countOf(int64(len(revoked)), "certificate")))
		}
	}
	if len(here) == 0 {
		return nil, warnings, ErrNoKeys
	}
	return here, warnings, nil
}

func (s *Service) named(ctx context.Context, names []string) ([]ledger.Authority, error) {
	var all []ledger.Authority
	for _, name := range names {
		path, err := s.Path(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, path[0])
	}
	return all, nil
}
