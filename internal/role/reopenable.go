package role

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Reopenable is a role that can be opened again while it is in use.
type Reopenable struct {
	mu   sync.Mutex
	role *Role
}

// Retrieve asks for a new session.
func (r *Reopenable) Retrieve(ctx context.Context) (aws.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.role.Retrieve(ctx)
}

// NewReopenable makes one of a role that is open.
func NewReopenable(r *Role) *Reopenable { return &Reopenable{role: r} }

// Replace closes the role that was in use. What was said of its certificate is not said again.
func (r *Reopenable) Replace(by *Role) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.role.Close()
	by.Succeed(r.role)
	r.role = by
}

// Close lets go of the key.
func (r *Reopenable) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.role.Close()
}
