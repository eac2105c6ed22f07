package enroll

import (
	"context"
	"strings"
	"sync"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// maxContacts bounds the hosts that are remembered until KeepContacts writes them down. Of more, only
// the certificates tell.
const maxContacts = 1 << 15

// contacts are the hosts that got an answer and are not written down yet. It is safe for concurrent
// use.
type contacts struct {
	mu  sync.Mutex
	all map[string]ledger.Contact // by name
}

func (s *contacts) add(c *call, a *enrollapi.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.all[a.Name]; !known && len(s.all) >= maxContacts {
		return
	}
	if s.all == nil {
		s.all = map[string]ledger.Contact{}
	}
	at := c.begun.Truncate(time.Second)
	s.all[a.Name] = ledger.Contact{Name: a.Name, At: at, RenewAt: at.Add(time.Duration(a.Renew.After) * time.Second), Version: versionText(c.version)}
}

// versionText returns what is kept of the version that a host states.
func versionText(text string) string {
	const most = 40
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), most)]
}

func (s *contacts) take() []ledger.Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ledger.Contact
	for _, c := range s.all {
		all = append(all, c)
	}
	s.all = nil
	return all
}

// KeepContacts writes down which hosts got an answer, at each tick and once more when ctx ends: off
// the path of requests. What cannot be written is lost.
func (s *Server) KeepContacts(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ticks:
		case <-ctx.Done():
		}
		s.writeContacts(context.WithoutCancel(ctx))
		if ctx.Err() != nil {
			return
		}
	}
}

func (s *Server) writeContacts(ctx context.Context) {
	all := s.contacts.take()
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := s.service.AddContacts(ctx, all); err != nil {
		s.limited.Warn("when hosts were last seen is not recorded", "error", err.Error())
	}
}
