package serve

import (
	"log/slog"
	"sync"
)

// rateLimited logs messages that any client can cause: the 1st, 10th, 100th occurrence and so on.
type rateLimited struct {
	log   *slog.Logger
	mu    sync.Mutex
	times map[string]uint64 // by message; there are only a few
}

func newRateLimited(log *slog.Logger) *rateLimited {
	return &rateLimited{log: log, times: map[string]uint64{}}
}

// warn logs message, a constant text, if this occurrence is to be logged.
func (s *rateLimited) warn(message string, args ...any) {
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
