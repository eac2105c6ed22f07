package iam

import (
	"testing"
	"time"
)

// TestPropagation_bounded: of more changes than are kept, the oldest takes effect before its time.
func TestPropagation_bounded(t *testing.T) {
	t.Parallel()
	s, now := New(), time.Now()
	s.Propagate(Propagation{Delay: 10 * time.Minute, Now: func() time.Time { return now }})
	before := s.effective(nil)
	changes := make([]*data, maxPending+2)
	for i := range changes {
		changes[i] = &data{}
		s.announce(changes[i])
		if i < maxPending && s.effective(nil) != before {
			t.Fatalf("change %d takes effect at once", i)
		}
	}
	if n := len(s.propagation.pending); n != maxPending {
		t.Errorf("%d changes wait, want %d", n, maxPending)
	}
	if s.effective(nil) != changes[1] {
		t.Error("the change that is not kept is not in effect")
	}
	now = now.Add(10 * time.Minute)
	if s.effective(nil) != changes[len(changes)-1] {
		t.Error("the last change is not in effect after the delay")
	}
}
