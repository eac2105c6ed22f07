package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What a fleet of a million hosts means, whose certificates live 24 hours and are renewed after two
// thirds of that.
const (
	million      = 1_000_000
	renewedAfter = 16 * time.Hour
	outageTime   = 8 * time.Hour
)

// awsLimit is what AWS allows by itself, whatever a CA does.
const awsLimit = "10 calls of CreateSession a second in an account and region at first, which carry about 36,000 hosts with sessions of an hour, " +
	"whatever the CA can do; with create_session_quota set, kedge-ca status reports when the hosts need more"

// outcome is what came of a storm.
type outcome struct {
	floor   float64 // renewals in a second
	drained time.Duration
	rules   map[string]int
	alarms  int
}

// rate is that of renewals until 95 of 100 hosts had theirs: the last ones wait as they were told to, or
// as their schedule has it.
func (c *counts) rate() float64 {
	return float64(c.granted) * 0.95 / c.within(95).Seconds()
}

// report prints the table of a storm, and what it missed of the aims.
func (s storm) report(r *rehearsal, c *crowd, o outcome) error {
	memory, most := r.memory()
	rate := c.rate()
	t := table{title: r.engine() + ", " + s.what}
	t.add("hosts", "%d, and %d copies of some; %d have a wrong clock", s.hosts, len(r.hosts)-s.hosts, s.hosts*skewedShare/100)
	t.add("timers fire within", "%v", s.span.Round(time.Second))
	t.add("renewed: half, 95 %, all after", "%.0f s, %.0f s, %.0f s", c.within(50).Seconds(), c.within(95).Seconds(), o.drained.Seconds())
	t.add("rate until 95 %", "%.0f / s", rate)
	aim := ""
	if s.rated {
		aim = fmt.Sprintf(" (aim: at least %.2f)", leastShare)
	}
	t.add("floor: 64 connections, one server", "%.0f / s; ratio %.2f%s", o.floor, rate/o.floor, aim)
	t.add("an answer takes (p50, p95, p99)", "%v, %v, %v", ms(c.percentile(50)), ms(c.percentile(95)), ms(c.percentile(99)))
	t.add("refused by rule, at the servers", "%s", list(o.rules))
	t.add("refused, at the hosts", "%s", list(c.refused))
	t.add("not answered", "%s", list(c.unreached))
	t.add("alarms", "%d, for the hosts that were copied and no other", o.alarms)
	t.add("most memory of each server", "%s (aim: at most %d MiB)", memory, mostMemory)
	t.add("the ledger", "verified: each host has one newest certificate, which it got; nothing twice, nothing lost")
	t.add("1,000,000 hosts on 24 h", "%s", meaning(rate))
	t.add("AWS's own limit", "%s", awsLimit)
	t.print()
	var missed []error
	if most > mostMemory {
		missed = append(missed, fmt.Errorf("a server took %.0f MiB", most))
	}
	if s.rated && rate < leastShare*o.floor {
		missed = append(missed, fmt.Errorf("the rate is %.2f of the floor", rate/o.floor))
	}
	if s.told && c.told == 0 {
		missed = append(missed, errors.New("no host was told when to come again"))
	}
	return errors.Join(missed...)
}

// meaning says what a rate is for a million hosts.
func meaning(rate float64) string {
	steady := million / renewedAfter.Seconds()
	due := million * outageTime.Seconds() / renewedAfter.Seconds()
	return fmt.Sprintf("%.0f / s when they renew at 2/3 of the life, %.0f %% of this rate; the %.0f that an outage of 8 h leaves are done in %.0f min",
		steady, 100*steady/rate, due, due/(rate-steady)/60)
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// table is printed in Markdown.
type table struct {
	title string
	rows  [][2]string
}

func (t *table) add(what, format string, args ...any) {
	t.rows = append(t.rows, [2]string{what, fmt.Sprintf(format, args...)})
}

func (t *table) print() {
	var text strings.Builder
	fmt.Fprintf(&text, "| %s | |\n|---|---|\n", t.title)
	for _, row := range t.rows {
		fmt.Fprintf(&text, "| %s | %s |\n", row[0], row[1])
	}
	fmt.Println(text.String())
}
