// Command enroll lets hosts enroll with tokens over 64 connections that are kept, and renew with a
// handshake each, at kedge-ca serve and at its floor in turn. It prints rows of a Markdown table: the
// rates, the 99th percentile of the time that an enrollment takes, and the memory of the server at the
// end.
//
// usage: enroll ROUNDS HOSTS RENEWALS PID TOKENS FLOOR WHAT
//
// In each round so many HOSTS enroll, and RENEWALS of them renew. TOKENS is a file with ROUNDS times
// HOSTS tokens, one on a line; FLOOR the address of the floor; WHAT the kind of ledger.
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
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "enroll:", err)
		os.Exit(1)
	}
}

// plan is what the command line says.
type plan struct {
	rounds, hosts, renewals int
	pid, floor, what        string
	tokens                  []enrollapi.Token
	kedge                   string // address of the server
}

func parse(args []string) (p plan, err error) {
	if len(args) != 7 {
		return p, errors.New("give ROUNDS HOSTS RENEWALS PID TOKENS FLOOR WHAT")
	}
	for i, n := range []*int{&p.rounds, &p.hosts, &p.renewals} {
		if *n, err = strconv.Atoi(args[i]); err != nil {
			return p, err
		}
	}
	p.pid, p.floor, p.what = args[3], args[5], args[6]
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
	if len(p.tokens) < p.rounds*p.hosts || p.renewals > p.hosts {
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
	var enrolls, slow, renews measured
	for i := range p.rounds {
		if err := p.round(p.tokens[i*p.hosts:(i+1)*p.hosts], &enrolls, &slow, &renews); err != nil {
			return err
		}
	}
	memory, err := resident(p.pid)
	if err != nil {
		return err
	}
	enrolls.print(p.what+": enroll with tokens, 64 connections", "/ s", "at least 0.6")
	slow.print(p.what+": the same, 99th percentile", "ms", "at most 2")
	renews.print(p.what+": renew, a handshake each", "/ s", "at least 0.6")
	fmt.Printf("| %s: memory after %d certificates | %.1f MiB | | | 64 MiB |\n", p.what, p.rounds*(p.hosts+p.renewals), memory)
	return nil
}

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

// round enrolls hosts, and renews some of them.
func (p *plan) round(tokens []enrollapi.Token, enrolls, slow, renews *measured) error {
	hosts, messages, err := enrollments(tokens)
	if err != nil {
		return err
	}
	floor, err := storm{address: p.floor, path: enrollapi.PathEnroll, keep: true}.run(messages)
	if err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	kedge, err := storm{address: p.kedge, path: enrollapi.PathEnroll, keep: true}.run(messages)
	if err != nil {
		return err
	}
	enrolls.add(floor.rate, kedge.rate)
	slow.add(floor.p99, kedge.p99)
	if messages, err = renewals(hosts[:p.renewals], kedge.answers, tokens[0].CAKey); err != nil {
		return err
	}
	if floor, err = (storm{address: p.floor, path: enrollapi.PathRenew}).run(messages); err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	if kedge, err = (storm{address: p.kedge, path: enrollapi.PathRenew}).run(messages); err != nil {
		return err
	}
	renews.add(floor.rate, kedge.rate)
	return nil
}

// resident is the memory of a process in MiB.
func resident(pid string) (float64, error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, errors.New("no VmRSS of process " + pid)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	return kib / 1024, err
}
