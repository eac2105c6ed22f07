package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// outage is an outage of all servers, in scaled time: a host's day takes a day / scale here, and the
// servers have as many requests in a second as from scale times as many hosts.
type outage struct {
	scale         int64
	before, after time.Duration // of the hosts' time, around the outage
}

// run lets a fleet of a million hosts live through the outage.
func (o outage) run(ctx context.Context, with programs, ledger, dir string) error {
	life := 24 * time.Hour / time.Duration(o.scale)
	r, err := prepare(ctx, past{dir: dir, ledger: ledger, lifetime: life.Truncate(time.Second)}, with, million/int(o.scale), 1)
	if err != nil {
		return err
	}
	stop, err := r.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	c := r.crowd(clock{time.Now(), o.scale})
	c.again = true
	for _, h := range r.hosts {
		h.schedule.Record.Renew.After = int64(renewedAfter.Seconds())
		since := rand.N(renewedAfter)
		if h.copy { // both ask before the end
			since = (renewedAfter + since) / 2
		}
		h.schedule.Record.Answered = c.clock.start.Add(h.skew - since)
	}
	c.resume(r.hosts)
	running, end := context.WithCancel(ctx)
	defer end()
	done := make(chan error, 1)
	go func() { done <- c.run(running) }()
	s, err := o.live(ctx, r, c)
	if err != nil {
		return err
	}
	end()
	if err := <-done; err != nil {
		return err
	}
	s.rules = refused(r.servers)
	stop()
	if s.alarms, err = r.check(); err != nil {
		return err
	}
	return o.report(r, c, s)
}

// seen is what was seen of the hosts, in their time.
type seen struct {
	late             [3]int // most hosts that were late: before, in and after the outage
	expired          int    // most hosts whose certificate had expired
	drained          time.Duration
	steady, restored int // renewals before the outage, and until it was made up for
	overdue          int // hosts that were still late when it should have been made up for; 0: it was
	outcome
}

// lateness is after what time a host that is due counts as late: its timer may be so late.
const lateness = 30 * time.Minute

// live is the life of the fleet: some hours, the outage, and the hours after it.
func (o outage) live(ctx context.Context, r *rehearsal, c *crowd) (s seen, err error) {
	watch := func(phase int, span time.Duration, until func(late int) bool) {
		for end := c.clock.now().Add(span); c.clock.now().Before(end) && ctx.Err() == nil; wait(ctx, 50*time.Millisecond) {
			late, expired := c.late()
			s.late[phase], s.expired = max(s.late[phase], late), max(s.expired, expired)
			if until(late) {
				return
			}
		}
	}
	never := func(int) bool { return false }
	watch(0, o.before, never)
	s.steady = c.done()
	r.servers[0].down()
	watch(1, outageTime, never)
	if err := r.servers[0].up(); err != nil {
		return s, err
	}
	back := c.clock.now()
	watch(2, o.after, func(late int) bool {
		s.overdue = late
		if late <= max(s.late[0], len(r.hosts)/1000) {
			s.overdue = 0
		}
		return s.overdue == 0
	})
	s.drained, s.restored = c.clock.now().Sub(back), c.done()-s.steady
	watch(2, o.after-s.drained, never)
	return s, ctx.Err()
}

// report prints the table of an outage.
func (o outage) report(r *rehearsal, c *crowd, s seen) error {
	memory, most := r.memory()
	perSecond := func(n int, in time.Duration) float64 { return float64(n) / c.clock.real(in).Seconds() }
	t := table{title: fmt.Sprintf("%s, an outage of 8 h of 1,000,000 hosts with certificates of 24 h: %d hosts, in time that runs %d times as fast", r.engine(), million/int(o.scale), o.scale)}
	t.add("before: rate", "%.1f / s; %d hosts late at most", perSecond(s.steady, o.before), s.late[0])
	t.add("in the outage", "%.0f %% of the hosts late in the end", 100*float64(s.late[1])/float64(len(r.hosts)))
	t.add("after it: drained", "in %.0f min, at %.0f / s", s.drained.Minutes(), perSecond(s.restored, s.drained))
	t.add("hosts whose certificate had expired", "%.1f %% at most; all but the copies renewed", 100*float64(s.expired)/float64(len(r.hosts)))
	t.add("an answer takes (p50, p95, p99)", "%v, %v, %v", ms(c.percentile(50)), ms(c.percentile(95)), ms(c.percentile(99)))
	t.add("refused by rule, at the servers", "%s", list(s.rules))
	t.add("refused, at the hosts", "%s", list(c.refused))
	t.add("not answered", "%s", list(c.unreached))
	t.add("alarms", "%d, for the hosts that were copied and no other", s.alarms)
	t.add("most memory of the server", "%s (aim: at most %d MiB)", memory, mostMemory)
	t.add("AWS's own limit", "%s", awsLimit)
	t.print()
	switch {
	case s.overdue > len(r.hosts)/100:
		return fmt.Errorf("%d hosts are still late %v after the outage", s.overdue, o.after)
	case most > mostMemory:
		return fmt.Errorf("the server took %.0f MiB", most)
	}
	return nil
}
