package main

import (
	"context"
	"os"

	"kedge/internal/role"
)

// reloadAt opens key and certificate again at every hangup, until ctx ends. If that fails, the old ones stay.
func (o *updateOptions) reloadAt(ctx context.Context, hangup <-chan os.Signal, r *role.Reopenable, renew func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		again, err := role.Open(ctx, o.role, o.forRole(o.debug), role.Long)
		if err != nil && ctx.Err() != nil {
			return // nobody waits for it any more
		}
		if err != nil {
			log := o.log()
			if hint := advise(err).Hint; hint != "" {
				log = log.With("hint", hint)
			}
			log.Error("not reloaded; all goes on as before", "error", err.Error())
			continue
		}
		r.Replace(again)
		o.log().Info("reloaded")
		renew()
	}
}
