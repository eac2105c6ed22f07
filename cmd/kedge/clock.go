package main

import (
	"log/slog"
	"sync"
	"time"

	"kedge/internal/role"
)

// clockWarning remembers which skew was said: each role may learn of it, and a daemon does each time
// that it asks for a session.
type clockWarning struct {
	say func(text string) // where a command has a log; nil: as any other warning

	mu   sync.Mutex
	said time.Duration
}

// isNew reports whether the skew was not said yet; one that differs by a minute or less was.
func (w *clockWarning) isNew(skew time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if skew == 0 || (skew-w.said).Abs() <= time.Minute {
		return false
	}
	w.said = skew
	return true
}

// warnOfClock warns once that this host's clock is wrong, as soon as that is known.
func (h host) warnOfClock(skew time.Duration) {
	if !h.clock.isNew(skew) {
		return
	}
	text := role.DescribeSkew(skew) + ": set the clock"
	if h.clock.say != nil {
		h.clock.say(text)
		return
	}
	h.warn(text)
}

// logClock has the log say it, from before any role is opened.
func (h host) logClock(log *slog.Logger) {
	h.clock.say = func(text string) { log.Warn(text) }
}
