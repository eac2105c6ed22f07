package enrollclient

import (
	"crypto/x509"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
)

// Schedule is when Renew asks the server, for simulations of many hosts, which have no folders. All
// times are by the host's clock, unless something else is said.
type Schedule struct {
	Record hostdir.Record
	State  hostdir.State
}

// Next returns when the server is to be asked next.
func (s *Schedule) Next() time.Time {
	at := RenewAt(s.Record)
	if s.State.Failures > 0 && s.State.NextTry.After(at) {
		at = s.State.NextTry
	}
	return at
}

// Try is called before a request.
func (s *Schedule) Try(now time.Time) { s.State = tried(s.State, now, randomly()) }

// Failed is called with the error of a request.
func (s *Schedule) Failed(err error) { s.State = failed(s.State, err, retryAfter(err)) }

// Renewed is called with a new certificate, the window in the answer, and the server's time.
func (s *Schedule) Renewed(leaf *x509.Certificate, w enrollapi.Window, now, date time.Time) {
	s.State = hostdir.State{}
	s.Record.Answered, s.Record.Renew = now, choose(w, leaf, date, randomly())
}
