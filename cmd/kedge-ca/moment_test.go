package main

import (
	"strings"
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		text string
		ago  bool
		want time.Time
	}{
		{"2026-12-31", false, time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)},
		{"2026-12-31T12:00:00+02:00", false, time.Date(2026, 12, 31, 10, 0, 0, 0, time.UTC)},
		{"30d", false, now.AddDate(0, 0, 30)},
		{"90m", false, now.Add(90 * time.Minute)},
		{"-7d", false, now.AddDate(0, 0, -7)},
		{"7d", true, now.AddDate(0, 0, -7)},
		{"-7d", true, now.AddDate(0, 0, -7)},
		{"0s", false, now},
	}
	for _, tt := range tests {
		m := moment{ago: tt.ago}
		if err := m.Set(tt.text); err != nil || !m.time(now).Equal(tt.want) || m.String() != tt.text {
			t.Errorf("%q: %v, %v, want %v", tt.text, m.time(now), err, tt.want)
		}
	}
	for _, text := range []string{"", "tomorrow", "2026-13-01", "30", "--7d", "d"} {
		if err := new(moment).Set(text); err == nil || !strings.HasPrefix(err.Error(), "write a time such as ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if at := new(moment).time(now); !at.IsZero() {
		t.Errorf("not given: %v", at)
	}
}
