package awskms

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kedge/internal/metrics"
)

// granted is the result of a request that KMS granted, beside the kinds of errors.
const granted Kind = "granted"

// counts are the numbers of a client, for Prometheus.
type counts struct {
	mu         sync.Mutex
	inProgress int
	results    map[result]int
	durations  map[string]*histogram // by operation
}

type result struct {
	operation string
	kind      Kind
}

func (r result) compare(other result) int {
	return strings.Compare(r.operation+" "+string(r.kind), other.operation+" "+string(other.kind))
}

// histogram counts the requests that took at most so long.
type histogram struct {
	within []int // beside buckets()
	count  int
	sum    time.Duration
}

func buckets() []time.Duration {
	return []time.Duration{5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
		250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second}
}

// begin counts a request that begins; end is for when it has ended.
func (c *counts) begin() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inProgress++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inProgress--
	}
}

// add counts a request that has ended.
func (c *counts) add(operation string, kind Kind, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.results == nil {
		c.results, c.durations = map[result]int{}, map[string]*histogram{}
	}
	c.results[result{operation, kind}]++
	h := c.durations[operation]
	if h == nil {
		h = &histogram{within: make([]int, len(buckets()))}
		c.durations[operation] = h
	}
	h.count++
	h.sum += took
	for i, most := range buckets() {
		if took <= most {
			h.within[i]++
		}
	}
}

// WriteMetrics writes how many requests were made, with which result, and how long they took. It writes
// nothing before the first.
func (c *Client) WriteMetrics(p *metrics.Page) {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	if len(c.counts.results) == 0 {
		return
	}
	p.Family("kedge_ca_kms_requests_total", "counter", "Requests to AWS KMS, by operation and by result: granted, or what went wrong.")
	for _, r := range slices.SortedFunc(maps.Keys(c.counts.results), result.compare) {
		p.Sample("kedge_ca_kms_requests_total", float64(c.counts.results[r]), "operation", r.operation, "result", string(r.kind))
	}
	p.Family("kedge_ca_kms_requests_in_progress", "gauge", "Requests to AWS KMS that are not answered yet.")
	p.Sample("kedge_ca_kms_requests_in_progress", float64(c.counts.inProgress))
	const name = "kedge_ca_kms_request_duration_seconds"
	p.Family(name, "histogram", "How long requests to AWS KMS took, whatever their result.")
	for _, operation := range slices.Sorted(maps.Keys(c.counts.durations)) {
		h := c.counts.durations[operation]
		for i, most := range buckets() {
			p.Sample(name+"_bucket", float64(h.within[i]), "operation", operation, "le", strconv.FormatFloat(most.Seconds(), 'f', -1, 64))
		}
		p.Sample(name+"_bucket", float64(h.count), "operation", operation, "le", "+Inf")
		p.Sample(name+"_sum", h.sum.Seconds(), "operation", operation)
		p.Sample(name+"_count", float64(h.count), "operation", operation)
	}
}
