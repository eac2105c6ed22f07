package issuance

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Sessions specifies how many sessions hosts can get at AWS. The zero Sessions is no limit.
type Sessions struct {
	Duration time.Duration // of each
	Quota    float64       // calls of CreateSession in a second; 0: unknown
	Per      time.Duration // the unit in which status names the quota: a second, minute or hour; 0: a second
}

// sessionStatus adds what to do if the hosts need more sessions than the quota allows. A host needs
// one in each Duration at least: more if it renews them early, or runs a credential process for each
// command. Hosts are counted that can get one: their newest certificate is valid.
func (s *Service) sessionStatus(ctx context.Context, c *Status, now time.Time) error {
	if s.sessions.Quota <= 0 || s.sessions.Duration <= 0 {
		return nil
	}
	hosts, err := s.ledger.Count(ctx, ledger.Filter{Kind: ledger.Leaf, Newest: true, ExpiresAfter: now})
	if err != nil {
		return err
	}
	if need := s.sessions.need(hosts); need != "" {
		c.Needs = append(c.Needs, need)
	}
	return nil
}

// need returns what to do if so many hosts exceed the quota.
func (q Sessions) need(hosts int64) string {
	rate := float64(hosts) / q.Duration.Seconds()
	if rate <= q.Quota {
		return ""
	}
	name, unit := q.unit()
	return fmt.Sprintf("%s with sessions of %s make at least %.4g calls of CreateSession %s; the quota (server.aws.create_session_quota) is %.4g/%s, enough for %s: "+
		"let sessions be longer (12h at most), ask AWS for a higher quota, or spread the hosts over several accounts or regions",
		countOf(hosts, "host"), ca.Duration(q.Duration), rate*q.per().Seconds(), name, q.Quota*q.per().Seconds(), unit, countOf(int64(q.Quota*q.Duration.Seconds()+1e-6), "host"))
}

func (q Sessions) per() time.Duration { return cmp.Or(q.Per, time.Second) }

// unit returns how the unit of the quota is called, and how the configuration has it.
func (q Sessions) unit() (name, unit string) {
	switch q.Per {
	case time.Hour:
		return "an hour", "h"
	case time.Minute:
		return "a minute", "m"
	}
	return "a second", "s"
}

// countOf returns a number of things: "1 host", "2 hosts".
func countOf(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
