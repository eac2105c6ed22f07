package httpserver

import (
	"log/slog"
	"sync"
)

// RateLimited logs messages that any client can cause: the 1st, 10th, 100th occurrence and so on.
// It is safe for concurrent use.
type RateLimited struct {
	log   *slog.Logger
	mu    sync.Mutex
	times map[string]uint64 // by message; there are only a few
}

// NewRateLimited returns one that logs to log.
func NewRateLimited(log *slog.Logger) *RateLimited {
	return &RateLimited{log: log, times: map[string]uint64{}}
}

// Warn logs message, a constant text, if this occurrence is to be logged.
func (s *RateLimited) Warn(message string, args ...any) {
	s.mu.Lock()
	s.times[message]++
	n := s.times[message]
	s.mu.Unlock()
	if isPowerOfTen(n) {
		s.log.Warn(message, append(args, "times", n)...)
	}
}

func isPowerOfTen(n uint64) bool {
	for n%10 == 0 && n > 0 {
		n /= 10
	}
	return n == 1
}

// Count returns how often message occurred.
func (s *RateLimited) Count(message string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times[message]
}
