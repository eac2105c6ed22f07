package issuance

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"kedge/ca/ledger"
)

// The kinds of an Event.
const (
	EventClone     = "clone"     // a second key wanted to renew the certificate of a host
	EventOverdue   = "overdue"   // a host should have renewed its certificate
	EventList      = "list"      // a revocation list is about to end, or has ended
	EventAuthority = "authority" // the certificate of a CA is about to expire, or has expired
)

// Event is something that the operator should hear of, once. The tags are those of a report.
type Event struct {
	ID        string    `json:"id"` // the same for the same event
	Kind      string    `json:"kind"`
	At        time.Time `json:"at"` // of a clone, when it was refused; otherwise when it ends or ended
	Name      string    `json:"name"`
	Text      string    `json:"text"`
	Serial    string    `json:"serial,omitempty"`
	Key       string    `json:"key,omitempty"`        // of a clone: the SHA-256 of the key that was refused
	NewestKey string    `json:"newest_key,omitempty"` // and of the key that has the newest certificate
	Address   string    `json:"address,omitempty"`    // and from where the renewal was asked for
}

// cloneTime is how long ago a clone may have been to be an event: after that, it was reported, or
// nobody was to be told.
const cloneTime = 30 * 24 * time.Hour

// noticeTime is how long it is remembered that an event was reported which does not come any more: such
// as that a host was late.
const noticeTime = 100 * 24 * time.Hour

// maxOverdue bounds how many hosts that are late are reported together.
const maxOverdue = 10_000

// Events returns the events that are to be reported now, of which some may have been: see
// Unreported.
func (s *Service) Events(ctx context.Context) (all []Event, err error) {
	now := s.now()
	for _, add := range []func(context.Context, time.Time) ([]Event, error){s.cloneEvents, s.endingEvents, s.overdueEvents} {
		some, err := add(ctx, now)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (s *Service) cloneEvents(ctx context.Context, now time.Time) (all []Event, err error) {
	for c, err := range s.ledger.Clones(ctx) {
		if err != nil {
			return nil, err
		}
		if now.Sub(c.At) > cloneTime {
			continue
		}
		newest, err := s.ledger.Certificate(ctx, c.Newest)
		if isNotFound(err) { // others are reported nevertheless
			continue
		}
		if err != nil {
			return nil, err
		}
		e := Event{ID: fmt.Sprintf("clone:%d", c.Seq), Kind: EventClone, At: c.At, Name: newest.CommonName, Serial: newest.Serial, Key: hex.EncodeToString(c.Key), NewestKey: hex.EncodeToString(newest.KeyHash),
			Text: fmt.Sprintf("another key wanted to renew a certificate of %q, which was renewed before: there is a copy of the host, or it still presents that certificate", newest.CommonName)}
		if c.Address.IsValid() {
			e.Address = c.Address.String()
		}
		all = append(all, e)
	}
	return all, nil
}

// endingEvents are about authorities and their lists.
func (s *Service) endingEvents(ctx context.Context, now time.Time) (all []Event, err error) {
	authorities, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range authorities {
		end := a.Certificate.NotAfter
		if a.State == ledger.Retired && now.After(end) {
			continue
		}
		if notice := min(authorityNotice, end.Sub(a.Certificate.NotBefore)/5); a.State != ledger.Retired && now.Add(notice).After(end) {
			all = append(all, Event{ID: fmt.Sprintf("authority:%x", a.Fingerprint), Kind: EventAuthority, At: end.UTC(), Name: a.Name,
				Text: fmt.Sprintf("the certificate of the CA %q ends on %s", a.Name, rfc3339(end))})
		}
		list, err := s.ledger.LastCRL(ctx, a.Certificate)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if notice := list.NextUpdate.Sub(list.ThisUpdate) / listNotice; now.Add(notice).After(list.NextUpdate) {
			all = append(all, Event{ID: fmt.Sprintf("list:%s:%d", a.Name, list.Number), Kind: EventList, At: list.NextUpdate, Name: a.Name,
				Text: fmt.Sprintf("revocation list %d of %q ends on %s, and there is no later one", list.Number, a.Name, rfc3339(list.NextUpdate))})
		}
	}
	return all, nil
}

func (s *Service) overdueEvents(ctx context.Context, now time.Time) (all []Event, err error) {
	late, expired := s.lateFilters(now)
	for _, f := range []ledger.Filter{expired, late} {
		for c, err := range s.ledger.List(ctx, f) {
			if err != nil {
				return nil, err
			}
			if c.RevokedAt != nil || len(all) >= maxOverdue {
				continue
			}
			all = append(all, Event{ID: "overdue:" + hex.EncodeToString(c.Fingerprint), Kind: EventOverdue, At: c.NotAfter, Name: c.CommonName, Serial: c.Serial,
				Text: fmt.Sprintf("the host %q should have renewed its certificate, which ends on %s", c.CommonName, rfc3339(c.NotAfter))})
		}
	}
	return all, nil
}

// Unreported returns those of some events that were not reported.
func (s *Service) Unreported(ctx context.Context, events []Event) (left []Event, err error) {
	reported, err := s.ledger.Noticed(ctx, ids(events))
	for _, e := range events {
		if !reported[e.ID] {
			left = append(left, e)
		}
	}
	return left, err
}

// Reported records that events were reported. current are all that Events returned: those are not
// forgotten.
func (s *Service) Reported(ctx context.Context, events, current []Event) error {
	return s.ledger.AddNotices(ctx, ids(events), ids(current), s.now().Add(-noticeTime))
}

func ids(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, e.ID)
	}
	return all
}

// TryLock takes the lock for work that one server at a time should do: see ledger.Ledger.TryLock.
func (s *Service) TryLock(ctx context.Context) (release func(), ok bool, err error) {
	return s.ledger.TryLock(ctx)
}

// TryPushLock takes the lock for bringing lists to AWS: see ledger.Ledger.TryPushLock.
func (s *Service) TryPushLock(ctx context.Context) (release func(), ok bool, err error) {
	return s.ledger.TryPushLock(ctx)
}

// TryAccountLock takes the lock for changes of an account at AWS: see ledger.Ledger.TryAccountLock.
func (s *Service) TryAccountLock(ctx context.Context) (release func(), ok bool, err error) {
	return s.ledger.TryAccountLock(ctx)
}
