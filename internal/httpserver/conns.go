package httpserver

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// slowRequest is the time after which a request that has not arrived in full may be dropped for
// others.
const slowRequest = time.Second

// Connections are the open connections of all listeners of a server. It is safe for concurrent use.
type Connections struct {
	limits [pools]int
	now    func() time.Time
	mu     sync.Mutex
	open   [pools]map[*conn]struct{}
}

// NewConnections returns the connections of a server that is about to listen.
func NewConnections(l Limits, now func() time.Time) *Connections {
	return &Connections{limits: l.budgets(), now: now}
}

// Listener returns a listener whose connections count in a pool. At the pool's limit, the
// connection that has been idle longest is closed; if all are busy, the new one is.
func (a *Connections) Listener(l net.Listener, p Pool) net.Listener {
	return listener{l, a, p}
}

// conn is a connection with its pool and state.
type conn struct {
	net.Conn
	all     *Connections
	pool    Pool
	state   atomic.Int32 // an http.ConnState
	since   atomic.Int64 // when the state last changed, in Unix nanoseconds
	release sync.Once
}

type listener struct {
	net.Listener
	all  *Connections
	pool Pool
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if isOutOfDescriptors(err) && l.all.evict() {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, all: l.all, pool: l.pool}
		c.become(http.StateNew)
		if l.all.add(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// add reports whether the pool's budget has room for c, if necessary after closing another.
func (a *Connections) add(c *conn) bool {
	a.mu.Lock()
	full := len(a.open[c.pool]) >= a.limits[c.pool]
	var victim *conn
	if full {
		victim = oldest(a.now(), a.open[c.pool])
	}
	if a.open[c.pool] == nil {
		a.open[c.pool] = map[*conn]struct{}{}
	}
	if victim != nil {
		delete(a.open[c.pool], victim)
	}
	if !full || victim != nil {
		a.open[c.pool][c] = struct{}{}
	}
	a.mu.Unlock()
	if victim != nil {
		_ = victim.Conn.Close()
	}
	return !full || victim != nil
}

// evict closes the connection that has been idle longest, of any pool, and reports whether there
// was one. Its descriptor is free when Close has returned.
func (a *Connections) evict() bool {
	a.mu.Lock()
	victim := oldest(a.now(), a.open[:]...)
	if victim != nil {
		delete(a.open[victim.pool], victim)
	}
	a.mu.Unlock()
	if victim == nil {
		return false
	}
	_ = victim.Conn.Close()
	return true
}

// oldest returns the connection to close: one that is idle, new, or slow to send its request.
func oldest(now time.Time, open ...map[*conn]struct{}) *conn {
	var found *conn
	for _, conns := range open {
		for c := range conns {
			since := c.since.Load()
			if http.ConnState(c.state.Load()) == http.StateActive && now.UnixNano()-since < int64(slowRequest) {
				continue
			}
			if found == nil || since < found.since.Load() {
				found = c
			}
		}
	}
	return found
}

// Count returns how many are open in all pools.
func (a *Connections) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	total := 0
	for _, conns := range a.open {
		total += len(conns)
	}
	return total
}

// Open returns how many are open in a pool, and its limit.
func (a *Connections) Open(p Pool) (open, limit int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open[p]), a.limits[p]
}

func (c *conn) become(state http.ConnState) {
	c.state.Store(int32(state))
	c.since.Store(c.all.now().UnixNano())
}

// Close closes the connection, which then no longer counts.
func (c *conn) Close() error {
	c.release.Do(func() {
		c.all.mu.Lock()
		delete(c.all.open[c.pool], c)
		c.all.mu.Unlock()
	})
	return c.Conn.Close()
}

// NetConn returns the connection below, as that of tls.Conn does.
func (c *conn) NetConn() net.Conn { return c.Conn }

// stateChanged is http.Server.ConnState.
func stateChanged(c net.Conn, state http.ConnState) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if c, ok := c.(*conn); ok {
		c.become(state)
	}
}
