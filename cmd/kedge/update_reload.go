package main

import (
	"context"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/role"
)

// reopenable is a role that can be opened again while it is in use.
type reopenable struct {
	mu   sync.Mutex
	role *role.Role
}

func (r *reopenable) Retrieve(ctx context.Context) (aws.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.role.Retrieve(ctx)
}

// replace closes the role that was in use. What was said of its certificate is not said again.
func (r *reopenable) replace(by *role.Role) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.role.Close()
	by.Succeed(r.role)
	r.role = by
}

func (r *reopenable) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.role.Close()
}

// reloadAt opens key and certificate again at every hangup, until ctx ends. If that fails, the old ones stay.
func (o *updateOptions) reloadAt(ctx context.Context, hangup <-chan os.Signal, r *reopenable, renew func()) {
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
		r.replace(again)
		o.log().Info("reloaded")
		renew()
	}
}
