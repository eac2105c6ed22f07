//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// early is how long before its end kedge stops serving a session, for clock skew.
	early = time.Minute
	// grace bounds the time from the emulator's log line to kedge's answers on a loaded machine.
	grace = 5 * time.Second
	// slowest bounds a read: less than the network's outages, which are longer.
	slowest = 5 * time.Second
)

// given is one set of credentials that a client received.
type given struct {
	id, secret, token string
	expires           time.Time
}

// delivery is a session that the emulator sent to kedge.
type delivery struct{ at, expires time.Time }

// judge decides which answers are right. It is safe for concurrent use.
type judge struct {
	fail   context.CancelCauseFunc
	ending atomic.Bool // SIGTERM was sent: the process may be gone

	requests, refusals atomic.Int64
	proofs             atomic.Int64

	mu         sync.Mutex
	worst      time.Duration // of the reads since it was taken
	newest     given
	seen       map[string]given // by access key id
	unproven   map[string]given // STS has not seen them yet
	deliveries []delivery
	trusted    time.Time // from when on the emulator's answers arrive
}

func newJudge(fail context.CancelCauseFunc) *judge {
	return &judge{fail: fail, seen: map[string]given{}, unproven: map[string]given{}}
}

// question is a request in progress.
type question struct{ asked, until time.Time }

// ask records, before a request is sent, until when there certainly are credentials.
func (j *judge) ask() question {
	j.mu.Lock()
	defer j.mu.Unlock()
	return question{time.Now(), j.newest.expires}
}

// hear judges the answer to a request for credentials, and returns them, if there are any.
func (j *judge) hear(q question, status int, body []byte) (given, error) {
	now := time.Now()
	j.requests.Add(1)
	j.mu.Lock()
	defer j.mu.Unlock()
	took := now.Sub(q.asked)
	j.worst = max(j.worst, took)
	if took > slowest {
		return given{}, fmt.Errorf("a read took %s", took)
	}
	switch status {
	case http.StatusOK:
		return j.accept(q, body)
	case http.StatusServiceUnavailable:
		j.refusals.Add(1)
		return given{}, j.excuse(q, now, body)
	}
	return given{}, fmt.Errorf("a read was answered with status %d: %s", status, body)
}

// accept checks credentials.
func (j *judge) accept(q question, body []byte) (given, error) {
	var document struct {
		Code                               *string
		AccessKeyID                        string `json:"AccessKeyId"`
		SecretAccessKey, Token, Expiration string
	}
	err := json.Unmarshal(body, &document)
	c := given{id: document.AccessKeyID, secret: document.SecretAccessKey, token: document.Token}
	if err == nil {
		c.expires, err = time.Parse(time.RFC3339, document.Expiration)
	}
	was, known := j.seen[c.id]
	switch {
	case err != nil:
		return c, fmt.Errorf("an answer cannot be read: %w", err)
	case c.id == "" || c.secret == "" || c.token == "" || document.Code != nil && *document.Code != "Success":
		return c, fmt.Errorf("an answer with status 200 is incomplete")
	case !c.expires.After(q.asked):
		return c, fmt.Errorf("expired credentials were answered: they ended at %s, and the request came at %s", clock(c.expires), clock(q.asked))
	case known && was != c:
		return c, fmt.Errorf("the parts of the credentials %s do not belong together", c.id)
	}
	if !known {
		j.seen[c.id], j.unproven[c.id] = c, c
	}
	if c.expires.After(j.newest.expires) {
		j.newest = c
	}
	return c, nil
}

// excuse reports whether there was a reason to refuse.
func (j *judge) excuse(q question, now time.Time, body []byte) error {
	if now.Before(q.until) {
		return fmt.Errorf("no credentials at %s, though there were some until %s: %s", clock(now), clock(q.until), body)
	}
	for _, d := range j.deliveries {
		if d.at.Add(grace).Before(q.asked) && now.Before(d.expires) {
			return fmt.Errorf("no credentials at %s, though the emulator sent some at %s that last until %s: %s", clock(now), clock(d.at), clock(d.expires), body)
		}
	}
	return nil
}

// delivered records a session that the emulator sent.
func (j *judge) delivered(at, end time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.deliveries) > 0 && j.deliveries[0].expires.Before(at) {
		j.deliveries = j.deliveries[1:]
	}
	if at.After(j.trusted) {
		j.deliveries = append(j.deliveries, delivery{at, end.Add(-early)})
	}
}

// distrust drops deliveries that may not have arrived, and those until a future time.
func (j *judge) distrust(until time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.trusted = until
	for n := len(j.deliveries); n > 0 && time.Since(j.deliveries[n-1].at) < grace; n = len(j.deliveries) {
		j.deliveries = j.deliveries[:n-1]
	}
}

// trusts reports whether the emulator's answers arrive at present.
func (j *judge) trusts() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Now().After(j.trusted)
}

// slow returns the longest read since the last call.
func (j *judge) slow() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	worst := j.worst
	j.worst = 0
	return worst
}

// secrets returns those that no log may contain.
func (j *judge) secrets() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []string
	for _, c := range j.seen {
		all = append(all, c.secret, c.token)
	}
	return all
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }
