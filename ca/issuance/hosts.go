package issuance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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
	Due    time.Time      // when the certificate should be renewed, as the host was told
	Seen   time.Time      // when the host last got an answer of a server; zero: unknown
	Denied *ledger.Denial // nil: it may renew
	Clones []ledger.Clone // renewals that were refused, since this host has the newest certificate
}

// Late reports whether the host should have renewed its certificate.
func (h *Host) Late() bool { return h.State == ledger.Expired || h.State == Overdue }

// Hosts yields the names that are held: first those of copied hosts and those whose certificate has
// expired or is nearly expired, then the others, each in the order in which they expire. Memory does
// not grow with their number, but with that of the first ones. A host that renews meanwhile can come as it was before.
func (s *Service) Hosts(ctx context.Context) iter.Seq2[Host, error] {
	return func(yield func(Host, error) bool) {
		a, err := s.alarms(ctx)
		if err != nil {
			yield(Host{}, err)
			return
		}
		now := s.now()
		seen := map[int64]bool{}
		for _, urgent := range []bool{true, false} { // two passes: the ledger has no order by urgency
			for holder, err := range s.ledger.Holders(ctx) {
				h := a.host(holder, s.expiry, now)
				if err == nil && (h.urgent() != urgent || seen[h.Lineage]) {
					continue
				}
				if urgent {
					seen[h.Lineage] = true
				}
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

// urgent reports whether somebody should look at the host first: it is late, or two hosts are it.
func (h *Host) urgent() bool { return h.Late() || len(h.Clones) > 0 }

// alarms is what is known about hosts besides their certificates.
type alarms struct {
	denied map[string]ledger.Denial // by common name
	clones map[int64][]ledger.Clone // by lineage
}

func (s *Service) alarms(ctx context.Context) (*alarms, error) {
	a := &alarms{denied: map[string]ledger.Denial{}}
	for d, err := range s.ledger.Denials(ctx) {
		if err != nil {
			return nil, err
		}
		a.denied[d.Name] = d
	}
	var err error
	a.clones, err = s.ledger.OpenClones(ctx)
	return a, err
}

// cloneStatus adds the hosts whose certificates were copied.
func (s *Service) cloneStatus(ctx context.Context, c *Status) error {
	all, err := s.ledger.OpenClones(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, clones := range all {
		newest, err := s.holderOf(ctx, clones[0].Newest)
		if err != nil {
			return err
		}
		if newest != nil {
			names = append(names, newest.CommonName)
		}
	}
	if c.clones = len(names); c.clones == 0 {
		return nil
	}
	slices.Sort(names)
	c.Needs = append(c.Needs, fmt.Sprintf("another key wanted to renew a certificate of %s, which was renewed before: there is a copy of the host, or it still presents that certificate; find out with kedge-ca hosts --json, and let the right host go on with kedge-ca resolve NAME --keep SERIAL",
		someOf(names, maxRemaining, len(names))))
	return nil
}

// holderOf returns the newest certificate of the lineage of another; nil if that has ended, or its
// newest is revoked, or if it is not in the ledger.
func (s *Service) holderOf(ctx context.Context, fingerprint []byte) (*ledger.Certificate, error) {
	c, err := s.ledger.Certificate(ctx, fingerprint)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	newest, err := s.ledger.Newest(ctx, c)
	if _, ended := errors.AsType[*ledger.EndedError](err); ended || err == nil && newest.RevokedAt != nil {
		return nil, nil
	}
	return &newest, err
}

// contactLag is how much earlier than a certificate the request for it can have come. An older contact
// is about another certificate of the name.
const contactLag = time.Minute

func (a *alarms) host(holder ledger.Holder, e Expiry, now time.Time) Host {
	h := Host{Holder: holder, State: holder.State(now), Due: dueAt(holder.Certificate), Clones: a.clones[holder.Lineage]}
	if h.State == ledger.Valid && e.State(holder.NotBefore, holder.NotAfter, now) == Expiring {
		h.State = Overdue
	}
	if holder.Enrollment != nil {
		h.Seen = holder.IssuedAt
	}
	if k := holder.Contact; k != nil && !k.At.Before(holder.IssuedAt.Add(-contactLag)) {
		h.Seen, h.Due = k.At, k.RenewAt
	}
	if d, ok := a.denied[holder.CommonName]; ok {
		h.Denied = &d
	}
	return h
}
