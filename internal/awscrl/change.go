package awscrl

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"time"

	"kedge/internal/awsaccount"
)

// readPause is the time until a list is read again that is not there yet, or not as it was pushed; readTries is how
// often.
const (
	readPause = 2 * time.Second
	readTries = 3
)

// replace brings a list of the authority that is at AWS up to date.
func (p *Pusher) replace(ctx context.Context, own *signedList, arn string) (*Result, error) {
	l, err := p.get(ctx, arn)
	if err != nil {
		return nil, err
	}
	before, err := p.compare(ctx, l)
	if err != nil {
		return nil, err
	}
	number := before.Number.Int64()
	if number > own.number() {
		return nil, &OlderError{Authority: p.Authority.Name, ARN: arn, There: number, Number: own.number()}
	}
	change := Unchanged
	if !own.is(before) {
		change = Updated
		updateErr := p.update(ctx, arn, own.pem)
		if updateErr != nil && !mayBeDone(updateErr) {
			return nil, updateErr
		}
		if l, err = p.readBack(ctx, own, arn); err != nil {
			return nil, cmp.Or(updateErr, err)
		}
	}
	r := p.result(own, arn, change)
	r.Before = number
	if !l.enabled {
		return r, &DisabledError{Authority: p.Authority.Name, ARN: arn}
	}
	return r, nil
}

// add imports a list of which the trust anchor has none.
func (p *Pusher) add(ctx context.Context, own *signedList, there *present) (*Result, error) {
	if len(there.all) >= maxLists {
		return nil, &FullError{Authority: p.Authority.Name, Anchor: p.Anchor, Lists: there.all}
	}
	arn, err := p.create(ctx, own.pem)
	if mayBeDone(err) {
		return p.afterLoss(ctx, own, err)
	}
	if err != nil {
		return nil, err
	}
	return p.added(ctx, own, arn)
}

// afterLoss goes on after an import whose answer was lost: the list is looked for, and not imported again before
// the next push, which begins by looking.
func (p *Pusher) afterLoss(ctx context.Context, own *signedList, lost error) (*Result, error) {
	for range readTries {
		if err := p.pause(ctx); err != nil {
			return nil, &UnknownOutcomeError{Authority: p.Authority.Name, Err: lost}
		}
		there, err := p.look(ctx)
		if err != nil {
			return nil, errors.Join(err, &UnknownOutcomeError{Authority: p.Authority.Name, Err: lost})
		}
		if len(there.ours) > 0 {
			return p.added(ctx, own, there.ours[0].arn)
		}
	}
	return nil, &UnknownOutcomeError{Authority: p.Authority.Name, Err: lost}
}

func (p *Pusher) added(ctx context.Context, own *signedList, arn string) (*Result, error) {
	if _, err := p.readBack(ctx, own, arn); err != nil {
		return nil, err
	}
	return p.result(own, arn, Imported), nil
}

// readBack reads a list that was pushed: its number and its entries must be those that were pushed.
func (p *Pusher) readBack(ctx context.Context, own *signedList, arn string) (list, error) {
	var found *x509.RevocationList
	for n := range readTries {
		if n > 0 {
			if err := p.pause(ctx); err != nil {
				return list{}, err
			}
		}
		l, err := p.get(ctx, arn)
		if err != nil {
			return list{}, err
		}
		if found, _ = p.compare(ctx, l); found != nil && own.is(found) {
			return l, nil
		}
	}
	return list{}, &ReadBackError{ARN: arn, Want: describe(own.RevocationList), Found: describe(found)}
}

func (p *Pusher) result(own *signedList, arn string, change Change) *Result {
	return &Result{
		Authority: p.Authority.Name, ARN: arn, Anchor: p.Anchor, Change: change, Number: own.number(),
		Entries: len(own.RevokedCertificateEntries), NextUpdate: own.NextUpdate, SHA256: own.sum(),
	}
}

// mayBeDone reports whether a request may have been done in spite of its error.
func mayBeDone(err error) bool {
	if _, ok := errors.AsType[*AnswerError](err); ok {
		return true
	}
	e, ok := errors.AsType[*awsaccount.Error](err)
	return ok && e.MayBeDone()
}

func (p *Pusher) pause(ctx context.Context) error {
	if p.Sleep != nil {
		return p.Sleep(ctx, readPause)
	}
	timer := time.NewTimer(readPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
