package enrollclient

import (
	"crypto/x509"
	"testing"
	"time"

	"kedge/internal/enrollapi"
)

// TestSchedule: a simulated host asks when Renew would.
func TestSchedule(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	leaf := &x509.Certificate{NotBefore: now, NotAfter: now.Add(24 * time.Hour)}
	var s Schedule
	s.Renewed(leaf, enrollapi.Window{After: 57600, Before: 64800}, now, now)
	due := s.Next()
	if since := due.Sub(now); since < 16*time.Hour || since > 18*time.Hour {
		t.Errorf("due after %v", since)
	}
	if isDue(s.Record, due.Add(-time.Second)) || !isDue(s.Record, due) {
		t.Errorf("it is not due at %v", due)
	}
	s.Try(due)
	s.Failed(&enrollapi.Error{Code: enrollapi.Overloaded, RetryAfter: 600})
	if next := s.Next(); next.Before(due.Add(10*time.Minute)) || !isWaiting(s.State, next.Add(-time.Second)) || isWaiting(s.State, next) {
		t.Errorf("after a failure at %v it tries at %v", due, next)
	}
	s.Renewed(leaf, enrollapi.Window{}, due, due)
	if since := s.Next().Sub(due); s.State.Failures != 0 || since < 4*time.Hour || since > 6*time.Hour {
		t.Errorf("without a window it is due after %v", since)
	}
}
