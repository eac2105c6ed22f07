package issuance

import (
	"context"
	"errors"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// growth is the period over which the growth of a CRL is measured.
const growth = 30 * 24 * time.Hour

// earlier is the size of a CRL some time ago.
type earlier struct {
	entries int
	days    float64 // how long ago, or since the first revocation, if that was later; at least 1
	err     error
}

// lookBack counts the entries that the authority's CRL would have had one growth period ago.
func (s *Service) lookBack(ctx context.Context, now time.Time, a ledger.Authority) (e earlier) {
	from := now.Add(-growth)
	then, err := s.revoked(ctx, a, from)
	oldest := now
	for _, r := range then {
		if !r.At.After(from) {
			e.entries++
		}
		if r.At.Before(oldest) {
			oldest = r.At
		}
	}
	e.days = min(max(now.Sub(oldest), 24*time.Hour), growth).Hours() / 24
	e.err = err
	return e
}

// forecast measures the CRL, and estimates how long it will be small enough.
func (m *CRL) forecast(then earlier) error {
	size, err := ca.MeasureCRL(m.PEM)
	if err = errors.Join(then.err, err); err != nil {
		return err
	}
	m.PerDay = float64(m.revoked-then.entries) / then.days
	f := ca.ForecastCRL(size, m.PerDay)
	m.Size, m.MaxSize, m.Room = size.PEM, ca.MaxCRLSize, f.Room
	if !f.Never {
		m.DaysLeft = &f.Days
	}
	return nil
}
