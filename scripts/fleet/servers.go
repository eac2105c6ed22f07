package main

import (
	"bufio"
	"context"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"kedge/scripts/runca"
)

// server is one that is watched: its memory, and how often each rule has refused.
type server struct {
	runca.Server

	mu      sync.Mutex
	running bool
	peak    float64        // MiB
	rules   map[string]int // of this process
	before  map[string]int // of those that were killed
}

// How often memory and rules are read. The page with the rules costs the server as much as dozens of
// renewals, since it counts hosts: Prometheus reads it once a minute by default.
const (
	memoryTime = 250 * time.Millisecond
	rulesTime  = time.Minute
)

// up starts the server.
func (s *server) up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.Start()
	s.running, s.rules = err == nil, map[string]int{}
	return err
}

// down kills the server, if it runs.
func (s *server) down() {
	s.readRules()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		return
	}
	s.readMemory()
	s.Kill()
	s.running = false
	for rule, n := range s.rules {
		s.before[rule] += n
	}
	s.rules = nil
}

// watch reads memory and rules until ctx ends.
func (s *server) watch(ctx context.Context) {
	memory, rules := time.NewTicker(memoryTime), time.NewTicker(rulesTime)
	defer memory.Stop()
	defer rules.Stop()
	for {
		select {
		case <-memory.C:
			s.mu.Lock()
			s.readMemory()
			s.mu.Unlock()
		case <-rules.C:
			s.readRules()
		case <-ctx.Done():
			return
		}
	}
}

func (s *server) readMemory() {
	if !s.running {
		return
	}
	if _, most, err := runca.Memory(s.PID()); err == nil {
		s.peak = max(s.peak, most)
	}
}

// readRules reads which rules have refused how often. A server that is busy, or gone, is asked again.
func (s *server) readRules() {
	s.mu.Lock()
	url, running := "http://"+s.Metrics+"/metrics", s.running
	s.mu.Unlock()
	if !running {
		return
	}
	response, err := (&http.Client{Timeout: 5 * time.Second}).Get(url)
	if err != nil {
		return
	}
	defer response.Body.Close()
	found := map[string]int{}
	decision := regexp.MustCompile(`^kedge_ca_decisions_total\{.*code="([^"]*)",rule="([^"]*)"\} ([0-9.e+]+)$`)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if m := decision.FindStringSubmatch(lines.Text()); m != nil && m[1] != "granted" {
			n, _ := strconv.ParseFloat(m[3], 64)
			found[m[2]] += int(n)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		s.rules = found
	}
}

// refused returns how often each rule has refused, at all servers.
func refused(servers []*server) map[string]int {
	all := map[string]int{}
	for _, s := range servers {
		s.readRules()
		s.mu.Lock()
		for _, some := range []map[string]int{s.rules, s.before} {
			for rule, n := range some {
				all[rule] += n
			}
		}
		s.mu.Unlock()
	}
	return all
}
