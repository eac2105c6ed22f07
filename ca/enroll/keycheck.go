package enroll

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// keyCheckTime is how long the result of a keyCheck is used: anybody may ask whether the server is
// ready, and a signature can cost a hardware key much time, and one in AWS KMS money.
const keyCheckTime = 10 * time.Second

// keyCheckWait is how long a question waits for a check in progress: Prometheus and load balancers give
// up a few seconds later. A key that takes longer for a signature is no key to serve hosts with.
const keyCheckWait = 5 * time.Second

// keyCheck is the last check that the key of the CA signs, and the one in progress.
type keyCheck struct {
	mu      sync.Mutex
	at      time.Time // of the last; zero: there was none
	err     error
	running chan struct{} // closed when the one in progress has ended; nil: there is none
}

// checkKey returns why the key of the CA does not sign.
func (s *Server) checkKey(ctx context.Context) error {
	done, err := s.lastKeyCheck(ctx)
	if done == nil {
		return err
	}
	timer := time.NewTimer(keyCheckWait)
	defer timer.Stop()
	select {
	case <-done:
		s.signs.mu.Lock()
		defer s.signs.mu.Unlock()
		return s.signs.err
	case <-timer.C:
		return fmt.Errorf("the key of the CA does not sign within %v", keyCheckWait)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lastKeyCheck returns the result of the last check. If that is too old, it returns the one in progress,
// which it starts when there is none: one at a time, however many ask.
func (s *Server) lastKeyCheck(ctx context.Context) (done <-chan struct{}, err error) {
	s.signs.mu.Lock()
	defer s.signs.mu.Unlock()
	if s.signs.running != nil {
		return s.signs.running, nil
	}
	if !s.signs.at.IsZero() && s.now().Sub(s.signs.at).Abs() < keyCheckTime {
		return nil, s.signs.err
	}
	running := make(chan struct{})
	s.signs.running = running
	go s.runKeyCheck(context.WithoutCancel(ctx), running)
	return running, nil
}

// runKeyCheck does one check. The context does not end a signature: with a key that never answers, this one
// check stays in progress, and no other is started.
func (s *Server) runKeyCheck(ctx context.Context, running chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := s.service.CheckKey(ctx, s.terms.Load().Issuer)
	s.signs.mu.Lock()
	defer s.signs.mu.Unlock()
	s.signs.at, s.signs.err, s.signs.running = s.now(), err, nil
	close(running)
}
