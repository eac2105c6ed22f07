package enroll

import (
	"sync"
	"time"

	"kedge/ca"
)

// anonymousLines is how many refusals a minute are logged of requests that proved nothing: anybody can
// send those. Every other decision is logged.
const anonymousLines = 100

// refusals counts the refusals of requests that proved nothing. It is safe for concurrent use.
type refusals struct {
	mu     sync.Mutex
	minute time.Time
	logged int
	left   int // out of the log since the last that was logged
}

// admit reports whether a decision is logged, and how many were left out before it. A request for approval
// proves nothing, though its profile is known.
func (r *refusals) admit(c *call, refused error, now time.Time) (left int, ok bool) {
	if refused == nil || c.proof != ca.ProofApproval && (c.name != "" || c.profile != "") { // the host has proven its identity
		return 0, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := now.Truncate(time.Minute); !minute.Equal(r.minute) {
		r.minute, r.logged = minute, 0
	}
	if r.logged == anonymousLines {
		r.left++
		return 0, false
	}
	r.logged++
	left, r.left = r.left, 0
	return left, true
}
