package main

import (
	"errors"
	"strings"
	"time"

	"kedge/ca"
)

// moment is the value of a flag for a point in time: RFC 3339, a day (its beginning in UTC), or a
// duration from now, such as 12h or 30d; with a minus before now.
type moment struct {
	at     time.Time
	offset time.Duration
	ago    bool // a duration is before now: for a time that cannot be in the future
	text   string
}

func (m *moment) String() string { return m.text }
func (m *moment) Type() string   { return "moment" }

func (m *moment) Set(text string) (err error) {
	m.text = text
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if m.at, err = time.Parse(layout, text); err == nil {
			return nil
		}
	}
	duration, past := strings.CutPrefix(text, "-")
	if m.offset, err = ca.ParseDuration(duration); err != nil {
		return errors.New("write a time such as 2026-12-31T12:00:00Z, a day such as 2026-12-31, or a duration such as 12h or 30d")
	}
	if past || m.ago {
		m.offset = -m.offset
	}
	return nil
}

// time returns the point in time, or the zero value if the flag was not given.
func (m *moment) time(now time.Time) time.Time {
	if m.text == "" || !m.at.IsZero() {
		return m.at
	}
	return now.Add(m.offset)
}
