package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"kedge/internal/enrollapi"
)

// counts are what came of requests.
type counts struct {
	granted   int
	times     []time.Duration // of those, how long each took
	moments   []time.Duration // and when each was there, from the start on
	refused   map[string]int  // by code
	told      int             // refusals with Retry-After
	unreached map[string]int  // by what happened
}

// add1 counts what came of one request.
func (c *counts) add1(r reply, took, at time.Duration) {
	if c.refused == nil {
		c.refused, c.unreached = map[string]int{}, map[string]int{}
	}
	if r.err == nil {
		c.granted++
		c.times, c.moments = append(c.times, took), append(c.moments, at)
		return
	}
	refusal, ok := errors.AsType[*enrollapi.Error](r.err)
	if !ok {
		c.unreached[unreachedHow(r.err)]++
		return
	}
	c.refused[string(refusal.Code)]++
	if refusal.RetryAfter > 0 {
		c.told++
	}
}

// unreachedHow says in a word why there was no answer.
func unreachedHow(err error) string {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return "no answer in time"
	}
	for _, known := range []string{"connection refused", "reset by peer", "closed the connection", "broken pipe"} {
		if strings.Contains(err.Error(), known) {
			return known
		}
	}
	return err.Error()
}

// percentile returns the time within which so many percent of the answers were there.
func (c *counts) percentile(percent int) time.Duration {
	if len(c.times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.times))
	return sorted[(len(sorted)-1)*percent/100]
}

// within returns after what time so many percent of the renewals were there.
func (c *counts) within(percent int) time.Duration {
	if len(c.moments) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.moments))
	return sorted[(len(sorted)-1)*percent/100]
}

// list writes numbers by what they count.
func list(numbers map[string]int) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(numbers)) {
		all = append(all, fmt.Sprintf("%s %d", what, numbers[what]))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
