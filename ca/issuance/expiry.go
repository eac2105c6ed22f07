package issuance

import (
	"context"
	"fmt"
	"time"

	"kedge/ca/ledger"
)

// Expiry specifies which leaves without successor are reported. The zero value of a field is its
// default.
type Expiry struct {
	// Percent is the part of its lifetime that a leaf has left, at most, when it is reported as
	// expiring. Default: 25, unless Before is set.
	Percent int
	// Before is the time that an expiring leaf has left, whatever its lifetime.
	Before time.Duration
	// Forget is how long after its end a leaf is still reported. Default: 30 days.
	Forget time.Duration
}

const (
	defaultPercent = 25
	defaultForget  = 30 * 24 * time.Hour
)

func (e Expiry) complete() Expiry {
	if e.Percent == 0 && e.Before == 0 {
		e.Percent = defaultPercent
	}
	if e.Forget == 0 {
		e.Forget = defaultForget
	}
	return e
}

// Expired returns the filter for leaves that have expired by a time, without successor, not longer
// than Forget ago.
func (e Expiry) Expired(now time.Time) ledger.Filter {
	return ledger.Filter{Newest: true, ExpiresAfter: now.Add(-e.complete().Forget), ExpiresBefore: now}
}

// Nearly returns the filter for leaves that are expiring at a time, without successor.
func (e Expiry) Nearly(now time.Time) ledger.Filter {
	e = e.complete()
	f := ledger.Filter{Newest: true, ExpiresAfter: now, LifeLeft: e.Percent}
	if e.Before > 0 {
		f.ExpiresBefore = now.Add(e.Before)
	}
	return f
}

// State returns the state of a certificate with these times: ledger.Expired, Expiring or "".
func (e Expiry) State(notBefore, notAfter, now time.Time) string {
	e = e.complete()
	left, life := notAfter.Sub(now), notAfter.Sub(notBefore)
	switch {
	case left < 0:
		return ledger.Expired
	case e.Before > 0 && left >= e.Before, e.Percent > 0 && left.Seconds()*100 >= life.Seconds()*float64(e.Percent):
		return ""
	}
	return Expiring
}

// Expiring is what Expiry.State calls a certificate that is nearly expired.
const Expiring = "expiring"

// LeavesStatus counts leaves that have no successor and need one.
type LeavesStatus struct {
	Expired  int64 `json:"expired"`
	Expiring int64 `json:"expiring"`
}

// leavesStatus adds the leaves that need a successor, and what to do about them.
func (s *Service) leavesStatus(ctx context.Context, c *Status, now time.Time) error {
	const advice = `kedge-ca renew NAME, or kedge-ca revoke NAME for what is out of use`
	for _, one := range []struct {
		n         *int64
		f         ledger.Filter
		verb, are string
	}{
		{&c.Leaves.Expired, s.expiry.Expired(now), "has", "have"},
		{&c.Leaves.Expiring, s.expiry.Nearly(now), "is", "are"},
	} {
		one.f.Kind = ledger.Leaf
		n, names, err := s.countNamed(ctx, one.f)
		if err != nil {
			return err
		}
		if *one.n = n; n == 0 {
			continue
		}
		what := "1 leaf " + one.verb
		if n > 1 {
			what = fmt.Sprintf("%d leaves %s", n, one.are)
		}
		state := "expired"
		if one.verb == "is" {
			state = "nearly expired"
		}
		c.Needs = append(c.Needs, fmt.Sprintf("%s %s without a successor (%s): %s", what, state, names, advice))
	}
	return nil
}

// countNamed counts the certificates that match a filter, and lists the first names.
func (s *Service) countNamed(ctx context.Context, f ledger.Filter) (n int64, names string, err error) {
	var first []string
	f.Limit = maxRemaining + 1
	for c, err := range s.ledger.List(ctx, f) {
		if err != nil {
			return 0, "", err
		}
		first = append(first, c.CommonName)
	}
	n = int64(len(first))
	if n > maxRemaining {
		n, err = s.ledger.Count(ctx, f)
	}
	return n, someOf(first, maxRemaining, int(n)), err
}
