package enroll

import (
	"sync"
	"time"
)

// Rate limits requests: PerSecond on average, and Burst at once. The zero Rate is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// interval is the time that one request takes up.
func (r Rate) interval() time.Duration { return time.Duration(float64(time.Second) / r.PerSecond) }

// limiter limits requests by key: by the generic cell rate algorithm, which keeps of each key only
// the time at which its requests so far would have arrived at the average rate. It is safe for
// concurrent use.
//
// Its memory is bounded: once it has most keys, those that made no request since the last time that
// it had are forgotten, which allows them a burst.
//
// Source: ITU-T I.371, annex A ("virtual scheduling algorithm").
type limiter[K comparable] struct {
	most int

	mu     sync.Mutex
	recent map[K]time.Time
	older  map[K]time.Time
}

func newLimiter[K comparable](most int) *limiter[K] {
	return &limiter[K]{most: most / 2, recent: map[K]time.Time{}}
}

// take counts a request, unless there are too many: then it returns the time until one is allowed.
func (l *limiter[K]) take(key K, r Rate, now time.Time) (wait time.Duration) {
	if r == (Rate{}) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	arrival, interval := l.arrival(key, r, now), r.interval()
	if wait := arrival.Sub(now) - interval*time.Duration(r.Burst-1); wait > 0 {
		l.set(key, arrival) // nearer than before, if the clock was set back
		return wait
	}
	l.set(key, arrival.Add(interval))
	return 0
}

// restore takes back a request that was counted.
func (l *limiter[K]) restore(key K, r Rate, now time.Time) {
	if r == (Rate{}) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(key, l.arrival(key, r, now).Add(-r.interval()))
}

// arrival returns when the next request would arrive at the average rate: not before now and, even if
// the clock was set back, not after a whole burst.
func (l *limiter[K]) arrival(key K, r Rate, now time.Time) time.Time {
	at, known := l.recent[key]
	if !known {
		at = l.older[key]
	}
	if at.Before(now) {
		return now
	}
	if latest := now.Add(r.interval() * time.Duration(r.Burst)); at.After(latest) {
		return latest
	}
	return at
}

func (l *limiter[K]) set(key K, at time.Time) {
	if _, known := l.recent[key]; !known && len(l.recent) >= l.most {
		l.older, l.recent = l.recent, map[K]time.Time{}
	}
	l.recent[key] = at
}
