package refresh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Options of a Refresher. Now is required.
type Options struct {
	// Now is the wall clock, such as time.Now.
	Now func() time.Time

	// Timeout bounds one call of the provider; a minute by default.
	Timeout time.Duration

	// Jitter returns numbers from 0 to 1; random ones by default.
	Jitter func() float64

	// Log gets each change of state once. Optional. Use Logger.With to name the credentials.
	Log *slog.Logger
}

// Refresher keeps credentials in memory and renews them while Run runs. It is an
// aws.CredentialsProvider that needs no aws.CredentialsCache. It is safe for concurrent use.
type Refresher struct {
	provider aws.CredentialsProvider
	options  Options

	running atomic.Bool
	stopped chan struct{} // closed when Run returns
	state   atomic.Pointer[state]
	wake    chan struct{} // asks Run to check the clock
	renew   chan struct{} // asks Run to renew
}

var _ aws.CredentialsProvider = (*Refresher)(nil)

const defaultTimeout = time.Minute

// New returns a Refresher of p's credentials. p is not called before Run.
func New(p aws.CredentialsProvider, o Options) *Refresher {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Refresher{
		provider: p, options: o,
		stopped: make(chan struct{}), wake: make(chan struct{}, 1), renew: make(chan struct{}, 1),
	}
	r.state.Store(&state{changed: make(chan struct{})})
	return r
}

// now returns the time without a monotonic reading.
func (r *Refresher) now() time.Time { return r.options.Now().Round(0) }

// Run gets credentials at once, and new ones in time, until ctx ends; then it returns nil, even
// while the provider hangs. It is called once.
func (r *Refresher) Run(ctx context.Context) error {
	if !r.running.CompareAndSwap(false, true) {
		return errors.New("these credentials are being renewed already")
	}
	defer close(r.stopped)
	l := &loop{Refresher: r, due: r.now()}
	for l.sleep(ctx) {
		l.attempt(ctx)
	}
	return nil
}

// Renew asks Run to renew now, whatever the time and the failures so far, as after a change of
// the configuration. It does not wait.
func (r *Refresher) Renew() { signal(r.renew) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // the previous signal is still pending
	}
}

// loop is the state of Run.
type loop struct {
	*Refresher
	due  time.Time
	said said
}

// pollInterval is the time between checks of the wall clock: timers stop while the host sleeps, and do
// not notice when the clock is set.
const pollInterval = time.Minute

// sleep returns when it is time to renew, or false when ctx ends.
func (l *loop) sleep(ctx context.Context) bool {
	for ctx.Err() == nil {
		now := l.now()
		l.logLapsed(now)
		left := l.due.Sub(now)
		if left <= 0 {
			return true
		}
		pause := min(left, pollInterval)
		timer := time.NewTimer(pause)
		slept := time.Duration(0)
		select {
		case <-ctx.Done():
		case <-l.renew:
			return true
		case <-l.wake:
		case <-timer.C:
			slept = pause
		}
		timer.Stop()
		if back := now.Add(slept).Sub(l.now()); back >= pollInterval {
			l.options.Log.Info("the clock was set back: the credentials are renewed", "by", back.Round(time.Second))
			return ctx.Err() == nil
		}
	}
	return false
}

type result struct {
	credentials aws.Credentials
	err         error
}

// attempt calls the provider once. A call that exceeds the timeout has failed; there is no other
// call before it returns, and credentials that it returns late are still used.
func (l *loop) attempt(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, l.options.Timeout)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		c, err := l.provider.Retrieve(limited)
		done <- result{c, err}
	}()
	select {
	case got := <-done:
		if ctx.Err() == nil {
			l.accept(got)
		}
	case <-limited.Done():
		if ctx.Err() == nil {
			l.fail(fmt.Errorf("no credentials within %s: %w", l.options.Timeout, limited.Err()))
			l.await(ctx, done)
		}
	}
}

// await waits for a call that has exceeded its timeout.
func (l *loop) await(ctx context.Context, done <-chan result) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case got := <-done:
			if got.err == nil {
				l.accept(got)
			}
			return
		case <-ticker.C:
			l.logLapsed(l.now())
		case <-ctx.Done():
			return
		}
	}
}

// accept publishes new credentials, unless got is an error or state.refuse rejects them.
func (l *loop) accept(got result) {
	now, before := l.now(), l.state.Load()
	if got.err == nil {
		got.err = before.refuse(got.credentials, now)
	}
	if got.err != nil {
		l.fail(got.err)
		return
	}
	l.due = When(now, got.credentials.Expires, l.options.Jitter())
	l.publish(state{credentials: got.credentials, renewed: now, successes: before.successes + 1, failed: before.failed})
	l.logRenewed(before)
}

// fail publishes the error, and keeps the credentials.
func (l *loop) fail(err error) {
	now, next := l.now(), *l.state.Load()
	if next.err == nil {
		next.since = now
	}
	next.err = err
	next.failed++
	next.failures++
	l.due = now.Add(Backoff(next.failures, refused(err), l.options.Jitter()))
	l.publish(next)
	l.logLapsed(now)
	l.logFailed()
}

func (l *loop) publish(s state) {
	s.next, s.changed = l.due, make(chan struct{})
	close(l.state.Swap(&s).changed)
}
