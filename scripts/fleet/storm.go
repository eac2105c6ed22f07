package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The aims of a storm.
const (
	leastShare = 0.55 // of the floor's rate
	mostMemory = 96   // MiB of each server
)

// storm is a fleet of hosts that are due, and come at once.
type storm struct {
	what    string
	hosts   int
	servers int
	span    time.Duration // in which the timers of all hosts fire
	fault   func(ctx context.Context, r *rehearsal) error
	told    bool // the fault is one of which servers tell hosts
	rated   bool // the rate is compared with the aim
}

// run lets all hosts renew, with the fault when half have.
func (s storm) run(ctx context.Context, with programs, ledger, dir string) error {
	p := past{dir: dir, ledger: ledger, age: 17 * time.Hour, lifetime: 24 * time.Hour}
	begun := time.Now()
	r, err := prepare(ctx, p, with, s.hosts, s.servers)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "fleet: %s: %d hosts have a certificate after %.0f s\n", s.what, s.hosts, time.Since(begun).Seconds())
	if err := r.getReady(); err != nil {
		return err
	}
	floor, err := r.floorRate()
	if err != nil {
		return err
	}
	stop, err := r.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	c := r.crowd(clock{time.Now(), 1})
	for _, h := range r.hosts {
		h.schedule.Record.Answered = c.clock.start.Add(h.skew - p.age)
		h.schedule.Record.Renew.After = int64((p.lifetime * 2 / 3).Seconds())
	}
	c.add(r.hosts, s.span)
	failed := make(chan error, 1)
	go func() { failed <- s.midway(ctx, c, r) }()
	if err := c.run(ctx); err != nil {
		return err
	}
	drained := time.Since(c.clock.start)
	if err := <-failed; err != nil {
		return err
	}
	rules := refused(r.servers)
	stop()
	alarms, err := r.check()
	if err != nil {
		return err
	}
	return s.report(r, c, outcome{floor: floor, drained: drained, rules: rules, alarms: alarms})
}

// midway causes the fault when half of the hosts have renewed.
func (s storm) midway(ctx context.Context, c *crowd, r *rehearsal) error {
	if s.fault == nil {
		return nil
	}
	for ctx.Err() == nil {
		if c.done() >= s.hosts/2 {
			return s.fault(ctx, r)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return ctx.Err()
}

// killOne kills the first of several servers, which stays down.
func killOne(_ context.Context, r *rehearsal) error {
	r.servers[0].down()
	return nil
}

// restartOne kills a server and starts it again after a time.
func restartOne(ctx context.Context, r *rehearsal) error {
	r.servers[0].down()
	wait(ctx, 3*time.Second)
	return r.servers[0].up()
}

// failOver ends the database, so that only its replica is left, which cannot be written; after a time
// the database is back.
func failOver(pause time.Duration) func(context.Context, *rehearsal) error {
	return func(ctx context.Context, _ *rehearsal) error {
		control := os.Getenv("KEDGE_POSTGRES_CONTROL")
		for _, args := range [][]string{{"stop", "-m", "immediate"}, {"start"}} {
			if out, err := exec.Command(control, args...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s %s: %w: %s", control, strings.Join(args, " "), err, out)
			}
			wait(ctx, pause)
			pause = 0
		}
		return nil
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
