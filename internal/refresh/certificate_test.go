package refresh

import (
	"testing"
	"time"
)

func TestStageOf(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	end := start.Add(30 * time.Hour)
	for _, tt := range []struct {
		at   time.Duration
		want Stage
	}{
		{-time.Hour, Fresh}, {0, Fresh}, {20*time.Hour - 1, Fresh}, {20 * time.Hour, LastThird}, {27*time.Hour - 1, LastThird},
		{27 * time.Hour, LastTenth}, {30 * time.Hour, LastTenth}, {30*time.Hour + 1, Expired}, {3000 * time.Hour, Expired},
	} {
		if got := StageOf(start, end, start.Add(tt.at)); got != tt.want {
			t.Errorf("after %s: %s, want %s", tt.at, got, tt.want)
		}
	}
	if got := StageOf(time.Time{}, time.Time{}, start); got != Fresh {
		t.Errorf("unknown: %s", got)
	}
	// "No well-defined expiration date", RFC 5280 4.1.2.5: the difference is too long for a Duration.
	if got := StageOf(time.Unix(0, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), start); got != Fresh {
		t.Errorf("without end: %s", got)
	}
}
