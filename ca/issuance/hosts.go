package issuance

import (
	"context"
	"iter"
	"time"

	"kedge/ca/ledger"
)

// Overdue is the state of a host whose certificate is nearly expired: it should have renewed it.
const Overdue = "overdue"

// Host is a name that is held, and what the operator should know about its holder.
type Host struct {
	ledger.Holder
	// State is ledger.Revoked, ledger.Held, ledger.Expired, Overdue, ledger.Pending or ledger.Valid,
	// the first that applies.
	State  string
	Due    time.Time      // when the certificate should be renewed
	Denied *ledger.Denial // nil: it may renew
	Clones []ledger.Clone // renewals that were refused, since this host has the newest certificate
}

// Late reports whether the host should have renewed its certificate.
func (h *Host) Late() bool { return h.State == ledger.Expired || h.State == Overdue }

// Hosts yields the names that are held: first those whose certificate has expired or is nearly
// expired, then the others, each in the order in which they expire. Memory does not grow with their
// number, but with that of the late ones. A host that renews meanwhile can come as it was before.
func (s *Service) Hosts(ctx context.Context) iter.Seq2[Host, error] {
	return func(yield func(Host, error) bool) {
		a, err := s.alarms(ctx)
		if err != nil {
			yield(Host{}, err)
			return
		}
		now := s.now()
		seen := map[int64]bool{}
		for _, late := range []bool{true, false} { // two passes: the ledger knows no order by lateness
			for holder, err := range s.ledger.Holders(ctx) {
				h := a.host(holder, s.expiry, now)
				if err == nil && (h.Late() != late || seen[h.Lineage]) {
					continue
				}
				if late {
					seen[h.Lineage] = true
				}
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

// alarms is what is known about hosts besides their certificates.
type alarms struct {
	denied map[string]ledger.Denial // by common name
	clones map[int64][]ledger.Clone // by lineage
}

func (s *Service) alarms(ctx context.Context) (*alarms, error) {
	a := &alarms{map[string]ledger.Denial{}, map[int64][]ledger.Clone{}}
	for d, err := range s.ledger.Denials(ctx) {
		if err != nil {
			return nil, err
		}
		a.denied[d.Name] = d
	}
	var clones []ledger.Clone
	for c, err := range s.ledger.Clones(ctx) {
		if err != nil {
			return nil, err
		}
		clones = append(clones, c)
	}
	lineages := map[string]int64{} // by fingerprint
	for _, c := range clones {
		print := string(c.Newest)
		if _, known := lineages[print]; !known {
			newest, err := s.ledger.Certificate(ctx, c.Newest)
			if err != nil {
				return nil, err
			}
			lineages[print] = newest.Lineage
		}
		a.clones[lineages[print]] = append(a.clones[lineages[print]], c)
	}
	return a, nil
}

func (a *alarms) host(holder ledger.Holder, e Expiry, now time.Time) Host {
	h := Host{Holder: holder, State: holder.State(now), Due: dueAt(holder.Certificate), Clones: a.clones[holder.Lineage]}
	if h.State == ledger.Valid && e.State(holder.NotBefore, holder.NotAfter, now) == Expiring {
		h.State = Overdue
	}
	if d, ok := a.denied[holder.CommonName]; ok {
		h.Denied = &d
	}
	return h
}
