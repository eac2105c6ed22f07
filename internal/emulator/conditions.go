package emulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"kedge/internal/emulator/iam"
)

// Conditions are how the control planes behave for as long as the emulator runs: they limit rates, they show changes
// late, they lose answers. The zero value is none of that. A [Fault] is for single requests.
type Conditions struct {
	// RequestRate is how many requests in a second IAM Roles Anywhere takes for each of trust anchors, profiles, CRLs,
	// subjects and tags, and IAM in all, in each account and region. IAM Roles Anywhere of AWS takes 1 (guide, "quotas");
	// the quotas of IAM are not published. 0 is no limit.
	RequestRate float64

	// PropagationDelay is how long CreateSession, AssumeRole and the checks of permissions and access keys use what was
	// before a change in IAM (IAM guide, "troubleshoot_general": eventual consistency). With AWS it was seen to take 2
	// to 30 seconds. At most [MaxPropagationDelay]. What the configuration has is used at once, and so is everything
	// after a restart.
	PropagationDelay time.Duration

	// StaleReads is that the operations of IAM that read are as late. Otherwise they see every change at once, as they
	// mostly do with AWS. Those that change something always see all changes.
	StaleReads bool

	// LostAnswers is the share of requests to both control planes, 0 to 1, that are done while the connection is closed
	// before the answer. Seed selects which: the same requests in the same order lose the same answers.
	LostAnswers float64
	Seed        uint64
}

// MaxPropagationDelay is the longest delay of [Conditions].
const MaxPropagationDelay = 10 * time.Minute

// Validate returns an error for a value that is out of its range.
func (c Conditions) Validate() error {
	switch {
	case !(c.RequestRate >= 0 && c.RequestRate <= 1e6): // nor NaN
		return fmt.Errorf("the request rate %v is not between 0 and 1000000", c.RequestRate)
	case c.PropagationDelay < 0 || c.PropagationDelay > MaxPropagationDelay:
		return fmt.Errorf("the propagation delay %s is not between 0 and %s", c.PropagationDelay, MaxPropagationDelay)
	case c.StaleReads && c.PropagationDelay == 0:
		return errors.New("stale reads need a propagation delay")
	case !(c.LostAnswers >= 0 && c.LostAnswers <= 1):
		return fmt.Errorf("the share of lost answers %v is not between 0 and 1", c.LostAnswers)
	}
	return nil
}

// delayChanges delays the changes of the store as the conditions have it.
func (c Config) delayChanges(store *iam.Store) {
	if d := c.Conditions.PropagationDelay; d > 0 {
		store.Propagate(iam.Propagation{Delay: d, StaleReads: c.Conditions.StaleReads, Now: c.Now})
	}
}

// losses decides which answers get lost. It is safe for concurrent use.
type losses struct {
	share float64

	mu     sync.Mutex
	random *rand.Rand
}

func (c Conditions) losses() losses {
	return losses{share: c.LostAnswers, random: rand.New(rand.NewPCG(c.Seed, 0))}
}

// next returns the fault of the next request, which may be none.
func (l *losses) next(s FaultService) Fault {
	if l.share == 0 || s != IAMFaults && s != ResourceFaults {
		return Fault{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.random.Float64() >= l.share {
		return Fault{}
	}
	return Fault{Kind: "lost", Count: 1, First: 1, Service: s}
}
