// Command sessions starts kedge-emulator and asks it for sessions over 64 connections. It prints rows of a Markdown
// table: rates, the 99th percentile of the time that a session takes, the emulator's memory, and how long it takes to start.
//
// A round for a role with a trust policy of 20 statements and one for a role without a policy of its own alternate.
// Their rates are for a second of the emulator's CPU time, so that other programs on the machine change them little.
//
// usage: sessions EMULATOR CA CERTIFICATE KEY ROUNDS REQUESTS     REQUESTS in each round, of each
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"kedge/signer"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		os.Stderr.WriteString("sessions: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// bench has the arguments.
type bench struct {
	emulator, ca     string
	identity         *signer.Identity
	rounds, requests int
}

func run(args []string) error {
	if len(args) != 6 {
		return errors.New("give EMULATOR CA CERTIFICATE KEY ROUNDS REQUESTS")
	}
	identity, err := signer.Load(signer.Files{Certificate: signer.File(args[2]), PrivateKey: signer.File(args[3]), Now: time.Now})
	if err != nil {
		return err
	}
	b := &bench{emulator: args[0], ca: args[1], identity: identity}
	if b.rounds, err = strconv.Atoi(args[4]); err != nil {
		return err
	}
	if b.requests, err = strconv.Atoi(args[5]); err != nil {
		return err
	}
	if err := b.start(); err != nil {
		return err
	}
	if err := b.policies(); err != nil {
		return err
	}
	return b.many()
}

const starts = 11

// start prints how long the emulator takes to start.
func (b *bench) start() error {
	for _, of := range []struct {
		what   string
		config config
	}{{"starts", small(b.ca)}, {"starts with 200 profiles and 250 roles", large(b.ca)}} {
		var times []float64
		for range starts {
			began := time.Now()
			e, err := b.launch(of.config)
			if err != nil {
				return err
			}
			times = append(times, float64(time.Since(began).Microseconds())/1000)
			if err := e.stop(); err != nil {
				return err
			}
		}
		fmt.Printf("| kedge-emulator %s | %.0f ms | | | at most 100 ms |\n", of.what, median(times))
	}
	return nil
}

// policies compares a role with a long trust policy with one without.
func (b *bench) policies() error {
	e, err := b.launch(small(b.ca))
	if err != nil {
		return err
	}
	defer e.stop()
	var wall, ratios []float64
	var perCPU [2][]float64
	for range b.rounds {
		var now [2]float64
		for i, role := range []string{roleARN("twenty"), roleARN("plain")} {
			r, err := b.storm(e, b.requests, []request{{profileARN(0), role}})
			if err != nil {
				return err
			}
			now[i] = r.perCPU
			perCPU[i] = append(perCPU[i], r.perCPU)
			if i == 1 {
				wall = append(wall, r.Rate)
			}
		}
		ratios = append(ratios, now[0]/now[1])
	}
	fmt.Printf("| CreateSession, trust policy of 20 statements; without one; in a second of CPU time | %.0f | %.0f | %.2f | at least 0.8 |\n", median(perCPU[0]), median(perCPU[1]), median(ratios))
	fmt.Printf("| CreateSession, 64 connections | %.0f / s | | | at least 1500 / s |\n", median(wall))
	return nil
}

// The sessions of many, and how many of them are measured together.
const (
	manySessions = 100_000
	batch        = 10_000
)

// many prints what changes while the emulator issues many sessions through many profiles and roles.
func (b *bench) many() error {
	e, err := b.launch(large(b.ca))
	if err != nil {
		return err
	}
	defer e.stop()
	var all []request
	for i := range profiles * roles / 50 { // each pair that i%profiles and i%roles make
		all = append(all, request{profileARN(i % profiles), roleARN(strconv.Itoa(i % roles))})
	}
	idle, err := e.resident()
	if err != nil {
		return err
	}
	var p99, memory []float64
	for range manySessions / batch {
		r, err := b.storm(e, batch, all)
		if err != nil {
			return err
		}
		resident, err := e.resident()
		if err != nil {
			return err
		}
		p99, memory = append(p99, r.P99), append(memory, resident)
	}
	last, half := len(memory)-1, len(memory)/2-1
	fmt.Printf("| 200 profiles, 250 roles, 99th percentile, the last 30,000 of 100,000 sessions; the first | %.0f µs | %.0f µs | %.2f | at most 2 |\n",
		median(p99[last-2:]), median(p99[:3]), median(p99[last-2:])/median(p99[:3]))
	fmt.Printf("| the same, memory after 100,000 sessions; after 50,000, and %.0f MiB before them | %.0f MiB | %.0f MiB | %.2f | at most 1.2 |\n",
		idle, memory[last], memory[half], memory[last]/memory[half])
	return nil
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
