package enrollclient

import (
	"path/filepath"
	"testing"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/hostdir"
)

// TestRenew_threeDaysDown: the CA is down for three days, and the certificate expires. The timer runs every
// five minutes at first, and then every three hours, to make the test short; the host asks at least every
// quarter of an hour if it can, for ever, and is renewed when the CA is back: once, with the key that it
// made for the first try.
func TestRenew_threeDaysDown(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	const quarter, down, back = 15 * time.Minute, 19 * time.Hour, 19*time.Hour + 72*time.Hour
	every := 5 * time.Minute
	s.Refuse = func(string) error { return &enrollapi.Error{Code: enrollapi.Unavailable, Message: "no ledger"} }
	tries := 0
	for shift := down; shift < back; shift += every {
		s.Skew = shift
		before := len(s.Asked)
		got, err := Renew(t.Context(), at(dir, shift))
		if err == nil && !got.Waiting {
			t.Fatalf("after %v: %+v", shift, got)
		}
		if asked := len(s.Asked) - before; asked > 1 || (asked == 1) != (err != nil) {
			t.Fatalf("after %v: %d requests, %v", shift, asked, err)
		}
		tries += len(s.Asked) - before
		if every > quarter && err == nil {
			t.Errorf("after %v the server is left alone for more than a quarter of an hour", shift)
		}
		if shift >= down+time.Hour {
			every = 3 * time.Hour
		}
	}
	if tries < 4+23 {
		t.Errorf("there were only %d tries", tries)
	}
	pending, err := filepath.Glob(filepath.Join(dir, "renew-*", "leaf.key"))
	if err != nil || len(pending) != 1 {
		t.Errorf("the pending keys are %q, %v", pending, err)
	}
	if state := hostdir.ReadState(dir); state.Failures != tries || state.Error == "" {
		t.Errorf("the state is %+v", state)
	}
	s.Refuse = nil
	s.Skew = back
	got, err := Renew(t.Context(), at(dir, back))
	if err == nil && got.Waiting {
		got, err = Renew(t.Context(), at(dir, back+quarter))
	}
	if err != nil || !got.Done || s.Issued != 2 || s.Clones != 0 {
		t.Errorf("when it is back: %+v, %v, %d certificates, %d clones", got, err, s.Issued, s.Clones)
	}
	if state := hostdir.ReadState(dir); state.Failures != 0 {
		t.Errorf("the state is %+v", state)
	}
}

// TestRenew_clockSteps: the clock of the host jumps between the runs of the timer, and while one runs. Each
// run ends well, and there is a pair that works and no clone after it.
func TestRenew_clockSteps(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	steps := []time.Duration{0, time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour, 0, 1000 * time.Hour, -1000 * time.Hour, 17 * time.Hour, 0}
	for i, shift := range steps {
		for _, other := range []time.Duration{shift, steps[(i+1)%len(steps)]} {
			r := at(dir, shift)
			calls := 0
			r.Now = func() time.Time {
				if calls++; calls%2 == 0 {
					return time.Now().Add(other)
				}
				return time.Now().Add(shift)
			}
			issued := s.Issued
			if _, err := Renew(t.Context(), r); err != nil || s.Issued > issued+1 {
				t.Errorf("%v, then %v: %v, %d certificates", shift, other, err, s.Issued-issued)
			}
			checkUsable(t, dir)
		}
	}
	if s.Clones != 0 {
		t.Errorf("there are %d clones", s.Clones)
	}
	// Once the clock is right and stays so, the host renews when it is due, and not before.
	if _, err := Renew(t.Context(), at(dir, 0)); err != nil {
		t.Fatal(err)
	}
	if got, err := Renew(t.Context(), at(dir, time.Minute)); err != nil || got.Done || got.Waiting {
		t.Errorf("a minute later: %+v, %v", got, err)
	}
	if got, err := Renew(t.Context(), at(dir, 19*time.Hour)); err != nil || !got.Done {
		t.Errorf("when it is due: %+v, %v", got, err)
	}
}
