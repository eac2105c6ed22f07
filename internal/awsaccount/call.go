package awsaccount

import (
	"context"
	"errors"
	"math/rand/v2"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"
)

// operation is one of an AWS service.
type operation struct{ service, name string }

// operationOf returns the operation of an input, such as iam:CreateRole of *iam.CreateRoleInput.
func operationOf[In any]() operation {
	t := reflect.TypeFor[In]()
	return operation{path.Base(t.PkgPath()), strings.TrimSuffix(t.Name(), "Input")}
}

func (o operation) String() string { return o.service + ":" + o.name }

// creates reports whether a second request could make a second thing.
func (o operation) creates() bool {
	return strings.HasPrefix(o.name, "Create") || o.name == "ImportCrl"
}

// reads reports whether it changes nothing.
func (o operation) reads() bool {
	return strings.HasPrefix(o.name, "Get") || strings.HasPrefix(o.name, "List")
}

// Call does an operation: do is a method of one of the clients. Errors are *Error, but for that of a caller that
// went away.
func Call[In, Out, Options any](ctx context.Context, a *Account, do func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) (*Out, error) {
	var out *Out
	err := a.call(ctx, operationOf[In](), func(ctx context.Context) (err error) {
		out, err = do(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// The times between the requests of a call, before jitter. The first is that of the quota of IAM Roles Anywhere.
const (
	firstWait = time.Second
	maxWait   = 20 * time.Second
)

// call requests an operation until it is done, refused, or late.
func (a *Account) call(caller context.Context, op operation, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(caller, a.limits.Deadline)
	defer cancel()
	for n, wait := 1, firstWait; ; n, wait = n+1, min(2*wait, maxWait) {
		if !op.reads() {
			if err := a.pace.next(ctx, a); err != nil {
				return goneOr(caller, &Error{Kind: Throttled, Operation: op.String(), Err: err})
			}
		}
		err := a.attempt(ctx, op, request)
		if err == nil {
			return nil
		}
		if gone := caller.Err(); gone != nil {
			return goneOr(caller, err)
		}
		pause := max(wait+rand.N(wait/4), min(err.RetryAfter, maxWait))
		if n >= a.limits.Attempts || !err.repeats(op) || a.sleep(ctx, pause) != nil {
			return goneOr(caller, err)
		}
	}
}

// goneOr returns an error, or that of a caller that went away meanwhile: but what may have been done is the more
// important news.
func goneOr(caller context.Context, err *Error) error {
	if gone := caller.Err(); gone != nil && !errors.Is(gone, context.DeadlineExceeded) && !err.MayBeDone() {
		return gone
	}
	return err
}

// attempt makes one request, with credentials that are fetched before: so errors of the two are told apart.
func (a *Account) attempt(ctx context.Context, op operation, request func(context.Context) error) *Error {
	ctx, cancel := context.WithTimeout(ctx, a.limits.Attempt)
	defer cancel()
	if _, err := a.credentials.Retrieve(ctx); err != nil {
		return &Error{Kind: kindOfFetch(err), Err: err}
	}
	err := request(ctx)
	if err == nil {
		return nil
	}
	return classify(ctx, op, a.now(), err)
}

// pacer keeps changes apart.
type pacer struct {
	mu   sync.Mutex
	last time.Time // of the change before
}

// next waits until a change may be made.
func (p *pacer) next(ctx context.Context, a *Account) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.last.Add(a.limits.Pace).Sub(a.now()); !p.last.IsZero() && wait > 0 {
		if err := a.sleep(ctx, min(wait, a.limits.Pace)); err != nil { // the clock may have been set back
			return err
		}
	}
	p.last = a.now()
	return nil
}

// sleep waits, unless there is no time left for it.
func sleep(ctx context.Context, wait time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= wait {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
