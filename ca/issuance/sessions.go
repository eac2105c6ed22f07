package issuance

import (
	"context"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Sessions says how many sessions hosts can get at AWS. The zero Sessions is no limit.
type Sessions struct {
	Duration time.Duration // of each
	Quota    float64       // calls of CreateSession in a second; 0: unknown
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
	return fmt.Sprintf("%d hosts with sessions of %s make %.4g calls of CreateSession a second at least, and the quota (server.aws.create_session_quota) is %.4g, enough for %.0f hosts: "+
		"let sessions be longer (12h at most), ask AWS for a higher quota, or spread the hosts over several accounts or regions",
		hosts, ca.Duration(q.Duration), rate, q.Quota, q.Quota*q.Duration.Seconds())
}
