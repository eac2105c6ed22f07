package caserver

import (
	"context"
	"time"

	"kedge/internal/awscrl"
)

// pushCheck is the time after which it is checked that AWS still has a list that was pushed: somebody may have changed
// it there.
const pushCheck = 24 * time.Hour

// signal wakes one goroutine; more signals than it can take count as one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// keepPushed pushes lists to AWS: at once, when one was made, and at each tick those that did not arrive, until ctx
// ends. It is apart from the work that must not wait for AWS.
func (d *daemon) keepPushed(ctx context.Context, ticks <-chan time.Time) {
	for ctx.Err() == nil {
		d.pushLists(ctx)
		select {
		case <-ticks:
		case <-d.toPush:
		case <-ctx.Done():
		}
	}
}

// pushLists pushes the lists that AWS does not have, as far as this folder has a record, if the configuration wants
// that. A list that cannot be pushed is tried again at the next tick.
func (d *daemon) pushLists(ctx context.Context) {
	settings := d.settings.Load().AWS.CRL
	if !settings.Push {
		return
	}
	names, err := d.CA.UnpushedLists(ctx, pushCheck)
	if err == nil && len(names) > 0 {
		err = d.CA.PushMade(ctx, settings, names, func(r *awscrl.Result) {
			d.Log.Info("revocation list pushed", "authority", r.Authority, "change", string(r.Change), "number", r.Number, "entries", r.Entries, "crl", r.ARN)
			for _, twin := range r.Twins {
				d.limited.Warn("another revocation list of the authority at AWS is not kept up to date", "authority", r.Authority, "crl", twin)
			}
		})
	}
	if err != nil && ctx.Err() == nil {
		d.limited.Warn("revocation lists are not pushed to AWS", "error", err.Error(), "hint", d.hint(err))
	}
}
