package refresh

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kedge/signer/session"
)

func TestWhen(t *testing.T) {
	t.Parallel()
	got := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		life, use time.Duration
		jitter    float64
	}{
		{14 * time.Minute, 7 * time.Minute, 0}, // the shortest session, less a minute of skew
		{15 * time.Minute, 7*time.Minute + 30*time.Second, 0},
		{39 * time.Minute, 19*time.Minute + 30*time.Second, 0},
		{40 * time.Minute, 10 * time.Minute, 0},
		{59 * time.Minute, 29 * time.Minute, 0},
		{59 * time.Minute, 26*time.Minute + 6*time.Second, 1},
		{3 * time.Hour, 150 * time.Minute, 0},
		{6 * time.Hour, 5 * time.Hour, 0},
		{12 * time.Hour, 10 * time.Hour, 0},
		{12 * time.Hour, 9 * time.Hour, 1},
		{1000 * time.Hour, 10 * time.Hour, 0},
		{30 * time.Second, 15 * time.Second, 0},
		{time.Second, minInterval, 0},
		{0, minInterval, 1},
		{-time.Hour, minInterval, 1},
		{-200 * 365 * 24 * time.Hour, minInterval, 0},
	} {
		if use := When(got, got.Add(tt.life), tt.jitter).Sub(got); use != tt.use {
			t.Errorf("credentials for %s are renewed after %s, not %s", tt.life, use, tt.use)
		}
	}
	if use := When(got, time.Time{}, 0).Sub(got); use != minInterval {
		t.Errorf("credentials without an expiration: %s", use)
	}
}

// More than 25 minutes are left wherever the session is long enough, and no time is out of bounds.
func FuzzWhen(f *testing.F) {
	f.Add(int64(3600), 0.5)
	f.Add(int64(-1), 1.0)
	f.Add(int64(1)<<62, 0.0)
	f.Fuzz(func(t *testing.T, seconds int64, jitter float64) {
		if !(jitter >= 0 && jitter <= 1) {
			return
		}
		got := time.Unix(1800000000, 0)
		expires := got.Add(time.Duration(seconds) * time.Second)
		if seconds > 1e9 {
			expires = time.Unix(seconds%1e15, 0)
		}
		when := When(got, expires, jitter)
		if use := when.Sub(got); use < minInterval || use > 10*time.Hour {
			t.Errorf("%s is used for %s", expires.Sub(got), use)
		}
		life := expires.Sub(got)
		if life >= 20*time.Second && !when.Before(expires) {
			t.Errorf("%s is renewed after it expired", life)
		}
		if life >= long && expires.Sub(when) <= 25*time.Minute {
			t.Errorf("%s is renewed with %s left", life, expires.Sub(when))
		}
	})
}

func TestEnough(t *testing.T) {
	t.Parallel()
	got := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		life, age time.Duration
		want      bool
	}{
		{59 * time.Minute, 0, true},
		{59 * time.Minute, 43*time.Minute + 59*time.Second, true},
		{59 * time.Minute, 44 * time.Minute, false},
		{59 * time.Minute, time.Hour, false},
		{14 * time.Minute, 6*time.Minute + 59*time.Second, true},
		{14 * time.Minute, 7 * time.Minute, false},
		{20 * time.Minute, 6 * time.Minute, false}, // better ones can be had
		{12 * time.Hour, 11 * time.Hour, true},
		{13 * time.Hour, 0, false},
		{-time.Hour, 0, false},
		{0, 0, false},
		{59 * time.Minute, -time.Minute, true},
		{59 * time.Minute, -2 * time.Minute, false}, // the clock was set back
	} {
		if have := Enough(got, got.Add(tt.life), got.Add(tt.age)); have != tt.want {
			t.Errorf("credentials for %s after %s: %t", tt.life, tt.age, have)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		failures int
		refused  bool
		jitter   float64
		want     time.Duration
	}{
		{1, false, 1, 5 * time.Second},
		{1, false, 0, 2500 * time.Millisecond},
		{2, false, 1, 10 * time.Second},
		{5, false, 1, 80 * time.Second},
		{6, false, 1, 2 * time.Minute},
		{1 << 40, false, 1, 2 * time.Minute},
		{1, true, 1, time.Minute},
		{3, true, 0, 2 * time.Minute},
		{100, true, 1, 10 * time.Minute},
		{100, true, 0, 5 * time.Minute},
	} {
		if got := Backoff(tt.failures, tt.refused, tt.jitter); got != tt.want {
			t.Errorf("after %d failures (refused: %t, jitter %g): %s, want %s", tt.failures, tt.refused, tt.jitter, got, tt.want)
		}
	}
}

type statusError int

func (e statusError) Error() string       { return fmt.Sprint(int(e)) }
func (e statusError) HTTPStatusCode() int { return int(e) }

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("a: %w", &session.APIError{Status: 403, Code: "AccessDeniedException"}), true},
		{&session.APIError{Status: 400, Code: "ValidationException"}, true},
		{&session.APIError{Status: 400, Code: "ThrottlingException"}, false},
		{&session.APIError{Status: 429}, false},
		{&session.APIError{Status: 503}, false},
		{fmt.Errorf("a: %w", statusError(403)), true},
		{statusError(429), false},
		{statusError(500), false},
		{errors.New("no answer"), false},
	} {
		if got := refused(tt.err); got != tt.want {
			t.Errorf("%v: %t", tt.err, got)
		}
	}
}
