package main

import (
	"container/heap"
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"kedge/internal/enrollapi"
)

// inFlight bounds the connections of all hosts together, for the sake of this machine: those that two
// servers take, and half as many that wait. A host that is due and finds none free waits, and the time
// counts.
const inFlight = 1500

// crowd are hosts that renew, each when its schedule says.
type crowd struct {
	clock    clock
	audience [32]byte
	tls      *tls.Config
	servers  []string // addresses
	again    bool     // hosts go on after a renewal
	starting starting

	mu      sync.Mutex
	waiting byTime
	left    int // hosts that are not over
	all     []*host
	changed chan struct{}
	counts
}

// clock is the time of the hosts: scale times as fast as that of the servers.
type clock struct {
	start time.Time
	scale int64
}

func (c clock) now() time.Time { return c.start.Add(time.Since(c.start) * time.Duration(c.scale)) }

// real returns the time that a time of the hosts takes here.
func (c clock) real(d time.Duration) time.Duration { return d / time.Duration(c.scale) }

// waiter is a host and when it asks, by the clock.
type waiter struct {
	at time.Time
	*host
}

// byTime is a heap of hosts, the next one first.
type byTime []waiter

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].at.Before(b[j].at) }
func (b byTime) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byTime) Push(x any)        { *b = append(*b, x.(waiter)) }
func (b *byTime) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

// add lets hosts ask for the first time, each at a time of its own within a span from now on.
func (c *crowd) add(hosts []*host, span time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range hosts {
		c.left++
		heap.Push(&c.waiting, waiter{c.clock.now().Add(rand.N(span + 1)), h})
	}
}

// resume lets hosts ask when their schedules say.
func (c *crowd) resume(hosts []*host) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range hosts {
		c.left++
		heap.Push(&c.waiting, waiter{h.schedule.Next().Add(-h.skew), h})
		h.due.Store(h.schedule.Next().Add(-h.skew).UnixNano())
	}
	c.all = append(c.all, hosts...)
}

// late returns how many hosts should have renewed, and how many have an expired certificate.
func (c *crowd) late() (late, expired int) {
	limit, now := c.clock.now().Add(-lateness).UnixNano(), time.Now().UnixNano()
	for _, h := range c.all {
		if h.gone.Load() {
			continue
		}
		if h.due.Load() < limit {
			late++
		}
		if h.ends.Load() < now {
			expired++
		}
	}
	return late, expired
}

// done returns how many renewals were granted.
func (c *crowd) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.granted
}

// run lets the hosts ask until all are over, or ctx ends.
func (c *crowd) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	due := make(chan waiter)
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for w := range due {
				if err := c.serve(w); err != nil {
					stop(err)
				}
			}
		})
	}
	c.dispatch(ctx, due)
	close(due)
	workers.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// dispatch hands out the hosts that are due.
func (c *crowd) dispatch(ctx context.Context, due chan<- waiter) {
	for ctx.Err() == nil {
		w, wait, over := c.pop()
		switch {
		case over:
			return
		case wait > 0:
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-c.changed:
			case <-ctx.Done():
			}
			timer.Stop()
		default:
			select {
			case due <- w:
			case <-ctx.Done():
				c.push(w)
			}
		}
	}
}

// pop returns the next host, or for how long there is none. over: all are.
func (c *crowd) pop() (w waiter, wait time.Duration, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return w, 0, true
	}
	if len(c.waiting) == 0 {
		return w, time.Second, false
	}
	if wait = c.clock.real(c.waiting[0].at.Sub(c.clock.now())); wait > 0 {
		return w, wait, false
	}
	return heap.Pop(&c.waiting).(waiter), 0, false
}

func (c *crowd) push(w waiter) {
	c.mu.Lock()
	heap.Push(&c.waiting, w)
	c.mu.Unlock()
	c.notify()
}

func (c *crowd) notify() {
	select {
	case c.changed <- struct{}{}:
	default: // it will be seen
	}
}

// serve lets one host ask, and notes when it asks next.
func (c *crowd) serve(w waiter) error {
	h := w.host
	own := func() time.Time { return c.clock.now().Add(h.skew) } // the host's clock
	h.schedule.Try(own())
	begun := time.Now()
	r := h.ask(c.connect(h), c.audience)
	took := time.Since(begun)
	if r.err == nil {
		if err := h.take(r, own(), c.clock.scale); err != nil {
			return err
		}
		h.due.Store(h.schedule.Next().Add(-h.skew).UnixNano())
		h.gone.Store(!c.again)
	} else {
		refusal, _ := errors.AsType[*enrollapi.Error](r.err)
		if refusal != nil {
			refusal.RetryAfter *= int(c.clock.scale)
			h.gone.Store(refusal.Code == enrollapi.Clone)
		} else {
			h.unanswered++
		}
		h.schedule.Failed(r.err)
	}
	c.mu.Lock()
	c.add1(r, took, time.Since(c.clock.start))
	gone := h.gone.Load()
	if gone {
		c.left--
	}
	c.mu.Unlock()
	if gone {
		c.notify()
		return nil
	}
	c.push(waiter{h.schedule.Next().Add(-h.skew), h})
	return nil
}
