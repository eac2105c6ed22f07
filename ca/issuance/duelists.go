package issuance

import (
	"context"
	"errors"
	"time"

	"kedge/ca/ledger"
)

// PublishedList returns the last complete CRL of an authority that was recorded, in DER: the same
// bytes wherever it is called. If there is none, the error is a *ledger.NotFoundError.
func (s *Service) PublishedList(ctx context.Context, a ledger.Authority) ([]byte, error) {
	return s.ledger.PublishedCRL(ctx, a.Certificate)
}

// DueLists returns the authorities, of those whose key is here, whose CRL should be made: there is
// none, half of its time has passed, or something was revoked or released since.
func (s *Service) DueLists(ctx context.Context) (due []ledger.Authority, err error) {
	here, _, err := s.ToList(ctx, nil)
	if errors.Is(err, ErrNoKeys) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, a := range here {
		isDue, err := s.isListDue(ctx, a, s.now())
		if err != nil {
			return nil, err
		}
		if isDue {
			due = append(due, a)
		}
	}
	return due, nil
}

func (s *Service) isListDue(ctx context.Context, a ledger.Authority, now time.Time) (bool, error) {
	record, err := s.ledger.LastCRL(ctx, a.Certificate)
	if isNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if half := record.NextUpdate.Sub(record.ThisUpdate) / 2; !now.Before(record.ThisUpdate.Add(half)) || record.Issuer != keyID(a) {
		return true, nil
	}
	der, err := s.ledger.PublishedCRL(ctx, a.Certificate)
	if isNotFound(err) {
		return true, nil // it was made before lists were stored, or elsewhere
	}
	if err != nil {
		return false, err
	}
	last := &lastCRL{by: a, record: &record}
	if sameList(der, record) {
		last.list = parseList(der)
	}
	revoked, err := s.revoked(ctx, a, now)
	return err == nil && (last.list == nil || last.unlisted(revoked) > 0), err
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*ledger.NotFoundError](err)
	return ok
}

// StaleLists returns the authorities, of those whose key is here, whose last CRL has ended.
func (s *Service) StaleLists(ctx context.Context) (names []string, err error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	for _, a := range all {
		if now.After(a.Certificate.NotAfter) {
			continue
		}
		record, err := s.ledger.LastCRL(ctx, a.Certificate)
		if isNotFound(err) || err == nil && now.Before(record.NextUpdate) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keyed, err := s.keys.Has(a.Name)
		if err != nil {
			return nil, err
		}
		if keyed {
			names = append(names, a.Name)
		}
	}
	return names, nil
}
