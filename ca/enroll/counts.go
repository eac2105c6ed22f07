package enroll

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"kedge/internal/metrics"
)

// counts counts decisions. The zero value is ready, and safe for concurrent use.
type counts struct {
	mu    sync.Mutex
	of    map[decision]uint64
	times map[string]*times // by path
}

// decision is what is counted separately. A rule is a constant of this package, or the key of a
// profile that refused.
type decision struct{ path, proof, rule, code string }

// times is a histogram of how long decisions took.
type times struct {
	within  [11]uint64
	n       uint64
	seconds float64
}

// timeLimits are the upper limits of the histogram, in seconds.
func timeLimits() [11]float64 {
	return [...]float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
}

// add counts a decision.
func (s *counts) add(c *call, now time.Time, err error) {
	d := decision{c.path, c.proof, c.rule, "granted"}
	if err != nil {
		d.code = string(refusalOf(err).code)
	}
	took := now.Sub(c.begun).Seconds()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of, s.times = map[decision]uint64{}, map[string]*times{}
	}
	s.of[d]++
	t := s.times[c.path]
	if t == nil {
		t = &times{}
		s.times[c.path] = t
	}
	t.n++
	t.seconds += took
	for i, limit := range timeLimits() {
		if took <= limit {
			t.within[i]++
		}
	}
}

// write writes the counts, in a fixed order.
func (s *counts) write(p *metrics.Page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Family("kedge_ca_decisions_total", "counter", "Requests decided, by the rule that decided; code is granted, or that of the answer.")
	order := func(a, b decision) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.proof, b.proof), cmp.Compare(a.code, b.code), cmp.Compare(a.rule, b.rule))
	}
	for _, d := range slices.SortedFunc(maps.Keys(s.of), order) {
		p.Sample("kedge_ca_decisions_total", float64(s.of[d]), "path", d.path, "proof", d.proof, "code", d.code, "rule", d.rule)
	}
	const seconds = "kedge_ca_decision_seconds"
	p.Family(seconds, "histogram", "How long decisions took.")
	for _, path := range slices.Sorted(maps.Keys(s.times)) {
		t := s.times[path]
		for i, limit := range timeLimits() {
			p.Sample(seconds+"_bucket", float64(t.within[i]), "path", path, "le", strconv.FormatFloat(limit, 'f', -1, 64))
		}
		p.Sample(seconds+"_bucket", float64(t.n), "path", path, "le", "+Inf")
		p.Sample(seconds+"_sum", t.seconds, "path", path)
		p.Sample(seconds+"_count", float64(t.n), "path", path)
	}
}
