//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sample is a reading of kedge serve's metrics.
type sample struct {
	at                time.Time
	goroutines, files int
	memory            float64 // MiB
	renewals          int64
}

// sample reads the metrics.
func (d *daemon) sample(ctx context.Context) (sample, error) {
	m := sample{at: time.Now()}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.metrics, nil)
	if err != nil {
		return m, err
	}
	response, err := client.Do(request)
	if err != nil {
		return m, err
	}
	defer response.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		name, _, _ = strings.Cut(name, "{")
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = number
		}
	}
	m.goroutines, m.files = int(values["go_goroutines"]), int(values["process_open_fds"])
	m.memory = values["process_resident_memory_bytes"] / (1 << 20)
	m.renewals = int64(values["kedge_credentials_renewals_total"])
	if err := lines.Err(); err != nil {
		return m, err
	}
	if m.goroutines == 0 || m.files == 0 || m.memory == 0 {
		return m, errors.New("the metrics lack goroutines, descriptors or memory")
	}
	return m, nil
}

// table prints samples, and checks that nothing grows.
type table struct {
	*soak
	begin   time.Time
	samples []sample
}

func newTable(s *soak) *table { return &table{soak: s, begin: time.Now()} }

func (t *table) header() {
	fmt.Printf("%6s %10s %8s %9s %7s %9s %7s %10s %5s %8s %9s\n",
		"time", "requests", "refused", "refreshes", "faults", "rotations", "proofs", "goroutines", "fds", "RSS MiB", "slowest")
}

// watch takes a sample every second, and prints a line every minute, or more often in a short soak.
func (t *table) watch(ctx context.Context) error {
	step := min(time.Minute, t.long/4)
	printed, next := 0, t.begin.Add(step)
	for pause(ctx, time.Second) {
		if err := t.take(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		if time.Now().Before(next) {
			continue
		}
		next = next.Add(step)
		t.line(t.samples[printed:])
		printed = len(t.samples)
	}
	if printed < len(t.samples) {
		t.line(t.samples[printed:])
	}
	return nil
}

func (t *table) take(ctx context.Context) error {
	m, err := t.daemon.sample(ctx)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	t.samples = append(t.samples, m)
	return nil
}

// line prints the maximum of each metric in these samples, and the counts so far.
func (t *table) line(samples []sample) {
	if len(samples) == 0 {
		return
	}
	most, last := mostOf(samples), samples[len(samples)-1]
	fmt.Printf("%6s %10d %8d %9d %7d %9d %7d %10d %5d %8.1f %9s\n",
		last.at.Sub(t.begin).Round(time.Second), t.judge.requests.Load(), t.judge.refusals.Load(), last.renewals, t.service.faults.Load(),
		t.files.rotations.Load()-1, t.judge.proofs.Load(), most.goroutines, most.files, most.memory, t.judge.slow().Round(time.Millisecond))
}

func mostOf(samples []sample) sample {
	var most sample
	for _, m := range samples {
		most.goroutines, most.files = max(most.goroutines, m.goroutines), max(most.files, m.files)
		most.memory, most.renewals = max(most.memory, m.memory), max(most.renewals, m.renewals)
	}
	return most
}

func (t *table) printQuiet(before, after sample) {
	fmt.Printf("without load: %d goroutines, %d descriptors, %.1f MiB; before: %d, %d, %.1f\n",
		after.goroutines, after.files, after.memory, before.goroutines, before.files, before.memory)
}

// events returns the number of events that may be logged.
func (t *table) events() int64 {
	return mostOf(t.samples).renewals + t.service.faults.Load() + t.files.rotations.Load()
}

// sum fails if something grew, or too little has happened.
func (t *table) sum() error {
	third := len(t.samples) / 3
	if third == 0 {
		return errors.New("too few samples were taken")
	}
	first, last := mostOf(t.samples[:third]), mostOf(t.samples[len(t.samples)-third:])
	if last.goroutines > first.goroutines+16 || last.files > first.files+16 || last.memory > first.memory*1.2+6 {
		return fmt.Errorf("kedge serve grew: from at most %d goroutines, %d descriptors and %.1f MiB to %d, %d and %.1f",
			first.goroutines, first.files, first.memory, last.goroutines, last.files, last.memory)
	}
	least := max(1, int64(t.long/(6*t.refresh)))
	if last.renewals < least || t.files.rotations.Load() <= int64(t.long/(3*t.rotate)) || t.service.faults.Load() < least || t.judge.requests.Load() < 1000 {
		return errors.New("too little has happened to show anything")
	}
	fmt.Printf("soak: %s without a wrong answer; exit code 0 after SIGTERM\n", t.long)
	return nil
}
