// Command enroll lets hosts enroll with tokens over 64 connections that are kept, and renew with a
// handshake each, at kedge-ca serve and at its floor in turn; and lets devices enroll by EST. It prints rows of a Markdown table: the
// rates, the 99th percentile of the time that an enrollment takes, and the memory of the server at the
// end.
//
// usage: enroll ROUNDS HOSTS RENEWALS PID TOKENS FLOOR WHAT
//
// In each round so many HOSTS enroll, and as many devices, and RENEWALS of the hosts renew. TOKENS is a file
// with two times ROUNDS times HOSTS tokens, one on a line; FLOOR the address of the floor; WHAT the kind of ledger.
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"kedge/internal/enrollapi"
	"kedge/internal/est"
	"kedge/scripts/runca"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "enroll:", err)
		os.Exit(1)
	}
}

// plan is what the command line asks for.
type plan struct {
	rounds, hosts, renewals int
	pid                     int
	floor, what             string
	tokens                  []enrollapi.Token
	kedge                   string // address of the server
}

func parse(args []string) (p plan, err error) {
	if len(args) != 7 {
		return p, errors.New("give ROUNDS HOSTS RENEWALS PID TOKENS FLOOR WHAT")
	}
	for i, n := range []*int{&p.rounds, &p.hosts, &p.renewals, &p.pid} {
		if *n, err = strconv.Atoi(args[i]); err != nil {
			return p, err
		}
	}
	p.floor, p.what = args[5], args[6]
	data, err := os.ReadFile(args[4])
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(data)) {
		t, err := enrollapi.ParseToken(line)
		if err != nil {
			return p, err
		}
		p.tokens = append(p.tokens, t)
	}
	if len(p.tokens) < 2*p.rounds*p.hosts || p.renewals > p.hosts {
		return p, errors.New("there are too few tokens, or more renewals than hosts")
	}
	u, err := url.Parse(p.tokens[0].URL)
	if err != nil {
		return p, err
	}
	p.kedge = u.Host
	return p, nil
}

func run(args []string) error {
	p, err := parse(args)
	if err != nil {
		return err
	}
	var m rows
	for i := range p.rounds {
		if err := p.round(p.tokens[2*i*p.hosts:2*(i+1)*p.hosts], &m); err != nil {
			return err
		}
	}
	memory, _, err := runca.Memory(p.pid)
	if err != nil {
		return err
	}
	m.enrolls.print(p.what+": enroll with tokens, 64 connections", "/ s", "at least 0.6")
	m.slow.print(p.what+": the same, 99th percentile", "ms", "at most 2")
	m.devices.print(p.what+": enroll by EST with tokens, against those of kedge", "/ s", "at least 0.85")
	m.renews.print(p.what+": renew, a handshake each", "/ s", "at least 0.6")
	fmt.Printf("| %s: memory after %d certificates | %.1f MiB | | | 64 MiB |\n", p.what, p.rounds*(2*p.hosts+p.renewals), memory)
	return nil
}

// rows are what is measured: enrollments in a second, the milliseconds that one takes, enrollments by EST
// with those of kedge as their floor, and renewals in a second.
type rows struct{ enrolls, slow, devices, renews measured }

// measured has the results of the rounds, of the floor and of kedge.
type measured struct{ floor, kedge []float64 }

func (m *measured) add(floor, kedge float64) {
	m.floor, m.kedge = append(m.floor, floor), append(m.kedge, kedge)
}

func (m *measured) print(what, unit, limit string) {
	floor, kedge := median(m.floor), median(m.kedge)
	fmt.Printf("| %s | %.0f %s | %.0f %s | %.2f | %s |\n", what, kedge, unit, floor, unit, kedge/floor, limit)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// round enrolls hosts with half of the tokens and devices with the others, and renews some of the hosts.
func (p *plan) round(tokens []enrollapi.Token, m *rows) error {
	hosts, messages, err := enrollments(tokens[:p.hosts])
	if err != nil {
		return err
	}
	enrolling := storm{path: enrollapi.PathEnroll, keep: true, kind: enrollapi.ContentType}
	floor, kedge, err := p.compare(enrolling, messages)
	if err != nil {
		return err
	}
	m.enrolls.add(floor.rate, kedge.rate)
	m.slow.add(floor.p99, kedge.p99)
	byEST := storm{address: p.kedge, path: est.Path + "/" + est.SimpleEnroll, keep: true, kind: est.RequestType}
	if messages, byEST.heads, err = devices(tokens[p.hosts:]); err != nil {
		return err
	}
	device, err := byEST.run(messages)
	if err != nil {
		return err
	}
	m.devices.add(kedge.rate, device.rate)
	if messages, err = renewals(hosts[:p.renewals], kedge.answers, tokens[0].CAKey); err != nil {
		return err
	}
	if floor, kedge, err = p.compare(storm{path: enrollapi.PathRenew, kind: enrollapi.ContentType}, messages); err != nil {
		return err
	}
	m.renews.add(floor.rate, kedge.rate)
	return nil
}

// compare sends the same messages to the floor, then to kedge.
func (p *plan) compare(s storm, messages [][]byte) (floor, kedge result, err error) {
	s.address = p.floor
	if floor, err = s.run(messages); err != nil {
		return floor, kedge, fmt.Errorf("the floor: %w", err)
	}
	s.address = p.kedge
	kedge, err = s.run(messages)
	return floor, kedge, err
}
