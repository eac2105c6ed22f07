package enroll

import (
	"net/netip"
	"sync"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
	"kedge/internal/httpserver"
)

// Limits bound what clients can have a Server do. The zero Limits bound nothing.
type Limits struct {
	Address Rate // requests from one address, before any signature is checked
	Host    Rate // requests for one host, once it has shown which it is
	AtOnce  int  // requests that are checked, signed and recorded at the same time
	// Connections is how many are open at the same time, 4096 at most; further ones wait.
	Connections int
}

// connections returns the limits of connections.
func (l Limits) connections() httpserver.Limits {
	most := maxConnections
	if l.Connections > 0 {
		most = min(l.Connections, most)
	}
	return httpserver.Limits{Main: most, Monitor: maxPlainConnections, Queue: true}
}

// How much the server remembers for its limits: 100 bytes for each.
const (
	maxAddresses = 1 << 15
	maxHosts     = 1 << 15
)

// admission has the state of the limits.
type admission struct {
	addresses *limiter[netip.Prefix]
	hosts     *limiter[hostKey]
	gate      gate
}

func newAdmission() admission {
	return admission{addresses: newLimiter[netip.Prefix](maxAddresses), hosts: newLimiter[hostKey](maxHosts)}
}

// limitAddress counts a request for its address, before anything of it is read. Behind one address
// can be a data center, all of whose hosts are due after an outage: so of an address with too many
// requests, renewals go on to limitOver.
func (s *Server) limitAddress(c *call) error {
	c.over = s.admission.addresses.take(httpserver.Block(c.from), s.terms.Load().Limits.Address, c.begun)
	if c.over > 0 && !c.renews {
		return c.tooMany()
	}
	return nil
}

func (c *call) tooMany() error {
	return slowDown("address-limit", c.over, "there are too many requests from this address")
}

// overRate is how often the signature is checked of requests that renew one certificate and are over
// the limit of their address: a copy of the certificate, without its key, is enough to send them.
func overRate() Rate { return Rate{PerSecond: 0.1, Burst: 3} }

// limitOver refuses a request that is over the limit of its address, unless it is about a certificate
// that is due. The sender has not shown yet that it has the key.
func (s *Server) limitOver(c *call, old ledger.Certificate) error {
	if c.over == 0 || isDue(old, c.begun) && s.admission.hosts.take(hostKey{leaf: string(old.Fingerprint)}, overRate(), c.begun) == 0 {
		return nil
	}
	return c.tooMany()
}

// enter takes room at the gate.
func (s *Server) enter(c *call) error {
	if s.admission.gate.enter(s.terms.Load().Limits.AtOnce, c.begun) {
		return nil
	}
	r := refuse(enrollapi.Overloaded, "overloaded", "the CA has too much to do at this moment")
	r.retry = overloadedRetry
	return r
}

// isDue reports whether a certificate is to be renewed: half of its life has passed, which is the
// earliest that a server asks for, and it has no successor.
func isDue(old ledger.Certificate, now time.Time) bool {
	return old.ReplacedBy == 0 && old.RevokedAt == nil && !now.Before(old.NotBefore.Add(old.NotAfter.Sub(old.NotBefore)/2))
}

// hostKey is what the requests of one host have in common: some of these.
type hostKey struct {
	lineage    int64  // of a renewal
	token, key string // of an enrollment
	leaf       string // fingerprint of the certificate in a request whose signature is not verified yet
}

// limitHost limits the requests for one host, whose proof was verified. Renewals that are due are
// not limited.
func (s *Server) limitHost(c *call, id *identity) error {
	if c.due {
		return nil
	}
	key := hostKey{lineage: id.old.Lineage, token: string(id.token.ID)}
	if id.leaf == nil {
		key.key = c.key
	}
	if wait := s.admission.hosts.take(key, s.terms.Load().Limits.Host, c.begun); wait > 0 {
		return slowDown("host-limit", wait, "there are too many requests for this host")
	}
	return nil
}

// settle takes back what a request counted if it was a renewal that was due, and was granted.
func (s *Server) settle(c *call, err error) {
	if err == nil && c.due && c.over == 0 {
		s.admission.addresses.restore(httpserver.Block(c.from), s.terms.Load().Limits.Address, c.begun)
	}
}

// slowDown refuses a request that is one too many.
func slowDown(rule string, wait time.Duration, text string) error {
	r := refuse(enrollapi.SlowDown, rule, "%s", text)
	r.retry = wait.Truncate(time.Second) + time.Second
	return r
}

// gate bounds how many requests are decided at the same time. It is safe for concurrent use.
type gate struct {
	mu      sync.Mutex
	inside  int
	refused time.Time // when last
}

// enter reports whether there is room; 0 is room for any number.
func (g *gate) enter(most int, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if most > 0 && g.inside >= most {
		g.refused = now
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
}

// count returns how many are inside.
func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// busyTime is how long after a refusal the server counts as busy: 4,000 hosts that came at the same
// moment were done after 70 s, but a host that failed often waits for up to 15 minutes.
const busyTime = 10 * time.Minute

// isBusy reports whether a quarter of the room is taken, or there was none a short time ago. With a
// quarter of the default taken, 99 % of the answers are there in about a second, and with half of it in
// 2.6 s.
func (g *gate) isBusy(most int, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return most > 0 && (g.inside*4 > most || !g.refused.IsZero() && now.Sub(g.refused) < busyTime)
}
