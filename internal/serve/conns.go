package serve

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// slowRequest is the time after which a request that has not arrived in full may be dropped for
// others.
const slowRequest = time.Second

// connections are the open connections of all listeners.
type connections struct {
	mu     sync.Mutex
	limits [pools]int
	open   [pools]map[*conn]struct{}
}

// conn is a connection with its pool and state.
type conn struct {
	net.Conn
	all       *connections
	pool      pool
	now       func() time.Time
	state     atomic.Int32 // an http.ConnState
	since     atomic.Int64 // when the state last changed, in Unix nanoseconds
	hops      sync.Once
	unlimited error // the error of setting the hop limit
	release   sync.Once
}

// listener accepts conns. At the limit, the connection that has been idle longest is closed; if all
// are busy, the new one is.
type listener struct {
	net.Listener
	all  *connections
	pool pool
	now  func() time.Time
}

func (l listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if isOutOfDescriptors(err) && l.all.evict(l.now()) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, all: l.all, pool: l.pool, now: l.now}
		c.become(http.StateNew)
		if l.all.add(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// add reports whether the pool's budget has room for c, if necessary after closing another.
func (a *connections) add(c *conn) bool {
	a.mu.Lock()
	full := len(a.open[c.pool]) >= a.limits[c.pool]
	var victim *conn
	if full {
		victim = oldest(c.now(), a.open[c.pool])
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
func (a *connections) evict(now time.Time) bool {
	a.mu.Lock()
	victim := oldest(now, a.open[:]...)
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

// count returns how many are open in all pools.
func (a *connections) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	total := 0
	for _, conns := range a.open {
		total += len(conns)
	}
	return total
}

func (c *conn) become(state http.ConnState) {
	c.state.Store(int32(state))
	c.since.Store(c.now().UnixNano())
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

// connKey is the key of the conn in a request's context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// stateChanged is http.Server.ConnState.
func stateChanged(c net.Conn, state http.ConnState) {
	if c, ok := c.(*conn); ok {
		c.become(state)
	}
}
