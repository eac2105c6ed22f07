package emulator

import (
	"maps"
	"strings"
	"sync"
	"time"

	"kedge/internal/emulator/wire"
)

// rateGroup is operations that share a rate (guide, "quotas": for an account and a region).
type rateGroup struct{ account, region, name string }

// limiter limits the rates of calls by token buckets, as IAM and STS do (answer of AWS Support in
// hashicorp/terraform-provider-aws#44853). That a bucket holds the calls of a second is ours. It is safe for
// concurrent use.
type limiter struct {
	perSecond float64 // 0: no limit

	mu      sync.Mutex
	buckets map[rateGroup]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory: the region is one that the caller names.
const maxBuckets = 1000

// allow reports whether one more call of the group is within its rate.
func (l *limiter) allow(g rateGroup, now time.Time) bool {
	if l.perSecond == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[g]
	if !ok {
		l.evict(now)
		b = bucket{l.capacity(), now}
	}
	b = l.refill(b, now)
	allowed := b.tokens >= 1
	if allowed {
		b.tokens--
	}
	l.buckets[g] = b
	return allowed
}

func (l *limiter) capacity() float64 { return max(1, l.perSecond) }

func (l *limiter) refill(b bucket, now time.Time) bucket {
	elapsed := max(0, now.Sub(b.at)) // the clock may have been set back
	return bucket{min(l.capacity(), b.tokens+l.perSecond*elapsed.Seconds()), now}
}

// evict makes room for one more bucket: those that are full are as good as none.
func (l *limiter) evict(now time.Time) {
	if l.buckets == nil {
		l.buckets = map[rateGroup]bucket{}
	}
	if len(l.buckets) < maxBuckets {
		return
	}
	maps.DeleteFunc(l.buckets, func(_ rateGroup, b bucket) bool { return l.refill(b, now).tokens == l.capacity() })
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

// groupOf returns the group of an operation of IAM Roles Anywhere (guide, "quotas"). That attribute mappings count as
// profiles, and notifications as trust anchors, is ours.
func groupOf(operation string) string {
	for _, g := range [][2]string{
		{"tag", "tags"}, {"subject", "subjects"}, {"profile", "profiles"}, {"mapping", "profiles"}, {"crl", "CRLs"},
	} {
		if strings.Contains(strings.ToLower(operation), g[0]) {
			return g[1]
		}
	}
	return "trust anchors"
}

// checkRate refuses a call of IAM Roles Anywhere above the rate of its group.
func (e *Emulator) checkRate(who *principal, operation string, now time.Time) *wire.Error {
	return e.limit(rateGroup{who.Account, who.Region, groupOf(operation)}, ResourceFaults, now)
}

// checkIAMRate refuses a call of IAM above its rate. IAM's own rates are not published: all of its operations share
// one here.
func (e *Emulator) checkIAMRate(who *principal, now time.Time) *wire.Error {
	return e.limit(rateGroup{account: who.Account, name: "IAM"}, IAMFaults, now)
}

func (e *Emulator) limit(g rateGroup, s FaultService, now time.Time) *wire.Error {
	if e.limiter.allow(g, now) {
		return nil
	}
	refusal := s.throttled()
	refusal.Why = strings.TrimSpace("more requests for " + g.name + " than the conditions allow in account " + g.account + " " + g.region)
	return refusal
}
