package enroll

import (
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	start := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	two := Rate{PerSecond: 2, Burst: 3}
	for _, tt := range []struct {
		name string
		rate Rate
		at   []time.Duration // of requests
		want []time.Duration // what each waits
	}{
		{"no limit", Rate{}, []time.Duration{0, 0, 0, 0}, []time.Duration{0, 0, 0, 0}},
		{"a burst", two, []time.Duration{0, 0, 0, 0, 0}, []time.Duration{0, 0, 0, time.Second / 2, time.Second / 2}},
		{"the average", two, []time.Duration{0, 0, 0, time.Second / 2, time.Second, time.Second}, []time.Duration{0, 0, 0, 0, 0, time.Second / 2}},
		{"a burst again", two, []time.Duration{0, 0, 0, time.Hour, time.Hour, time.Hour, time.Hour}, []time.Duration{0, 0, 0, 0, 0, 0, time.Second / 2}},
		{"one at a time", Rate{PerSecond: 0.1, Burst: 1}, []time.Duration{0, time.Second, 10 * time.Second, 11 * time.Second}, []time.Duration{0, 9 * time.Second, 0, 9 * time.Second}},
		{"the clock is set back", two, []time.Duration{0, 0, 0, -24 * time.Hour, -24*time.Hour + time.Second}, []time.Duration{0, 0, 0, time.Second / 2, 0}},
	} {
		l := newLimiter[string](100)
		for i, at := range tt.at {
			if got := l.take("a", tt.rate, start.Add(at)); got != tt.want[i] {
				t.Errorf("%s, request %d: waits %v, want %v", tt.name, i, got, tt.want[i])
			}
		}
		if wait := l.take("b", tt.rate, start); wait != 0 {
			t.Errorf("%s: another key waits %v", tt.name, wait)
		}
	}
}

func TestLimiter_restore(t *testing.T) {
	t.Parallel()
	l, now, r := newLimiter[string](100), time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), Rate{PerSecond: 1, Burst: 2}
	for range 10 {
		if wait := l.take("a", r, now); wait != 0 {
			t.Fatalf("waits %v", wait)
		}
		l.restore("a", r, now)
	}
	for range 5 { // nothing is saved up
		l.restore("a", r, now)
	}
	for i, want := range []time.Duration{0, 0, time.Second} {
		if wait := l.take("a", r, now); wait != want {
			t.Errorf("request %d: waits %v, want %v", i, wait, want)
		}
	}
}

// TestLimiter_memory: however many keys there are, few are kept, and one that goes on asking is not
// forgotten.
func TestLimiter_memory(t *testing.T) {
	t.Parallel()
	const most = 1000
	l, now, r := newLimiter[int](most), time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), Rate{PerSecond: 0.001, Burst: 1}
	allowed := 0
	for key := range 50 * most {
		if l.take(-1, r, now) == 0 {
			allowed++
		} else {
			l.take(-2, r, now)
		}
		l.take(key, r, now)
		if n := len(l.recent) + len(l.older); n > most {
			t.Fatalf("%d keys are kept", n)
		}
	}
	if allowed == 0 || allowed > 100 {
		t.Errorf("one key was allowed %d requests", allowed)
	}
}
