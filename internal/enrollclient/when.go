package enrollclient

import (
	"crypto/x509"
	"math/rand/v2"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
)

const (
	// maxStepBack is how far a clock may have been set back since the answer before the time since then
	// is taken as unknown.
	maxStepBack = 5 * time.Minute

	minInterval  = 10 * time.Second // between two tries
	firstBackoff = 30 * time.Second // the longest wait after one failure; it doubles with each
	maxBackoff   = 15 * time.Minute
)

// isDue reports whether a certificate is to be renewed now. What counts is the time since the answer,
// by the host's clock: that may be wrong, and it goes on while the host sleeps. If the clock was set
// back since, that time is unknown, and the certificate is renewed at once.
func isDue(r hostdir.Record, now time.Time) bool {
	since := now.Sub(r.Answered)
	return since < -maxStepBack || since >= seconds(r.Renew.After)
}

// RenewAt returns when the certificate is due, by the host's clock.
func RenewAt(r hostdir.Record) time.Time { return r.Answered.Add(seconds(r.Renew.After)).UTC() }

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// isWaiting reports whether the last failure is so recent that the server is left alone. A last try in
// the future is from before the clock was set back.
func isWaiting(s hostdir.State, now time.Time) bool {
	return s.Failures > 0 && !s.LastTry.After(now) && now.Before(s.NextTry)
}

// tried returns the state for a try that has not succeeded yet: written before the request, so that a
// host whose renewals are killed does not ask more often either. random is in [0, 1).
func tried(s hostdir.State, now time.Time, random float64) hostdir.State {
	s.Failures++
	most := maxBackoff
	if s.Failures < 10 {
		most = min(maxBackoff, firstBackoff<<(s.Failures-1))
	}
	s.LastTry, s.NextTry = now, now.Add(max(minInterval, time.Duration(random*float64(most))))
	return s
}

// failed returns the state after a try that failed.
func failed(s hostdir.State, err error, retryAfter time.Duration) hostdir.State {
	s.Error = err.Error()
	if next := s.LastTry.Add(min(retryAfter, maxRetryAfter)); next.After(s.NextTry) {
		s.NextTry = next
	}
	return s
}

// choose returns a window that starts at a random time in the one that the server gave. A window that
// makes no sense for the certificate is replaced by two thirds of what is left of its life.
func choose(w enrollapi.Window, leaf *x509.Certificate, at time.Time, random float64) enrollapi.Window {
	life := int64(leaf.NotAfter.Sub(at) / time.Second)
	if w.After <= 0 || w.Before < w.After || w.Before > life {
		w = enrollapi.Window{After: life * 2 / 3, Before: life * 3 / 4}
	}
	w.After += int64(random * float64(w.Before-w.After))
	return w
}

// randomly is a random number in [0, 1).
func randomly() float64 { return rand.Float64() }
