package refresh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// state is what readers see. It is immutable: Run replaces it, and closes changed.
type state struct {
	credentials aws.Credentials
	renewed     time.Time // when they were received; zero before the first
	err         error     // of the last attempt
	since       time.Time // of the first failure in a row
	failures    int       // in a row
	successes   uint64
	failed      uint64
	next        time.Time
	changed     chan struct{}
}

// valid reports whether there are credentials that have not expired.
func (s *state) valid(now time.Time) bool {
	return !s.renewed.IsZero() && now.Before(s.credentials.Expires)
}

// refuse returns why c must not replace the current credentials, or nil.
func (s *state) refuse(c aws.Credentials, now time.Time) error {
	expires := c.Expires.UTC().Format(time.RFC3339)
	switch {
	case !c.HasKeys() || c.SessionToken == "":
		return errors.New("the new credentials are incomplete: a key or the session token is empty")
	case !c.CanExpire || c.Expires.IsZero():
		return errors.New("the new credentials are incomplete: no expiration")
	case !now.Before(c.Expires):
		return fmt.Errorf("the new credentials expired before they came, at %s", expires)
	case s.valid(now) && c.Expires.Before(s.credentials.Expires) && c.Expires.Sub(now) < minSession:
		return fmt.Errorf("the new credentials are for a moment only, until %s, and the old ones last longer", expires)
	}
	return nil
}

// failure returns the error that readers get when there are no valid credentials and the last
// attempt failed.
func (s *state) failure() error {
	if s.renewed.IsZero() {
		return s.err
	}
	return fmt.Errorf("the credentials expired at %s, and renewing them has failed since %s: %w",
		s.credentials.Expires.UTC().Format(time.RFC3339), s.since.UTC().Format(time.RFC3339), s.err)
}

// Retrieve returns the credentials from memory, without waiting, unless they have expired. Then it
// returns the error of the last attempt to renew them. If there was no attempt yet, at the start
// or after the host slept, it waits for one, or for ctx.
func (r *Refresher) Retrieve(ctx context.Context) (aws.Credentials, error) {
	for {
		s := r.state.Load()
		switch {
		case s.valid(r.now()):
			return s.credentials, nil
		case s.err != nil:
			return aws.Credentials{}, s.failure()
		}
		signal(r.wake)
		select {
		case <-s.changed:
		case <-ctx.Done():
			return aws.Credentials{}, context.Cause(ctx)
		case <-r.stopped:
			return aws.Credentials{}, errors.New("the credentials are not renewed any more: the program ends")
		}
	}
}

// Status is for health checks and metrics. It holds no secret.
type Status struct {
	Valid    bool      // there are credentials that have not expired
	Expires  time.Time // of the credentials; zero before the first
	Renewed  time.Time // when they were received; zero before the first
	Next     time.Time // when Run renews them next; zero before the first answer
	Err      error     // of the last attempt; nil when it succeeded
	Since    time.Time // of the first failure in a row; zero without Err
	Renewals uint64    // successful attempts
	Failures uint64    // failed attempts
}

// Status returns the current status.
func (r *Refresher) Status() Status {
	s := r.state.Load()
	return Status{
		Valid:    s.valid(r.now()),
		Expires:  s.credentials.Expires,
		Renewed:  s.renewed,
		Next:     s.next,
		Err:      s.err,
		Since:    s.since,
		Renewals: s.successes,
		Failures: s.failed,
	}
}
