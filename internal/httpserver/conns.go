package httpserver

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Connections are the open connections of all listeners of a server. It is safe for concurrent use.
type Connections struct {
	now   func() time.Time
	freed chan struct{} // has room for one: a connection has ended, or is idle

	mu     sync.Mutex
	limits [pools]int
	queue  bool
	open   [pools]map[*conn]struct{}
	of     [pools]map[netip.Prefix]int // how many are open of each client
}

// NewConnections returns the connections of a server that is about to listen.
func NewConnections(l Limits, now func() time.Time) *Connections {
	return &Connections{limits: l.budgets(), queue: l.Queue, now: now, freed: make(chan struct{}, 1)}
}

// Resize replaces the limits. Connections that are open stay so.
func (a *Connections) Resize(l Limits) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limits, a.queue = l.budgets(), l.Queue
}

// Listener returns a listener whose connections count in a pool. At the pool's limit, the
// connection that has been idle longest is closed; if all are busy, the new one is, or it waits: see
// Limits.Queue.
func (a *Connections) Listener(l net.Listener, p Pool) net.Listener {
	return &listener{Listener: l, all: a, pool: p, closed: make(chan struct{})}
}

type listener struct {
	net.Listener
	all  *Connections
	pool Pool

	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		if err := l.await(); err != nil {
			return nil, err
		}
		accepted, err := l.Listener.Accept()
		if isOutOfDescriptors(err) && l.all.evict() {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, all: l.all, pool: l.pool, client: clientOf(accepted)}
		c.become(http.StateNew)
		entered, err := l.enter(c)
		if entered {
			return c, nil
		}
		_ = accepted.Close()
		if err != nil {
			return nil, err
		}
	}
}

// enter counts a connection as open, and reports whether there is room. It may have to wait again: what await
// found is gone if a connection that was idle has a request now.
func (l *listener) enter(c *conn) (bool, error) {
	for !l.all.add(c) {
		if !l.all.waits() {
			return false, nil
		}
		if err := l.await(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// roomCheck is the time after which a full pool is checked again: a connection may have become slow.
const roomCheck = 100 * time.Millisecond

// await waits until the pool has room, if connections are to wait for that.
func (l *listener) await() error {
	for !l.all.hasRoom(l.pool) {
		select {
		case <-l.closed:
			return net.ErrClosed
		case <-l.all.freed:
		case <-time.After(roomCheck):
		}
	}
	return nil
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// hasRoom reports whether a connection can be accepted into a pool.
func (a *Connections) hasRoom(p Pool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.queue || len(a.open[p]) < a.limits[p] || oldest(a.now(), a.open[p]) != nil
}

// waits reports whether connections that find no room are to wait.
func (a *Connections) waits() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue
}

// notify lets a listener that waits for room look again.
func (a *Connections) notify() {
	select {
	case a.freed <- struct{}{}:
	default: // it will
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
	if victim != nil {
		a.drop(victim)
	}
	if !full || victim != nil {
		a.put(c)
	}
	a.mu.Unlock()
	if victim != nil {
		_ = victim.Conn.Close()
	}
	return !full || victim != nil
}

// put counts a connection as open, with the lock held.
func (a *Connections) put(c *conn) {
	if a.open[c.pool] == nil {
		a.open[c.pool], a.of[c.pool] = map[*conn]struct{}{}, map[netip.Prefix]int{}
	}
	a.open[c.pool][c] = struct{}{}
	a.of[c.pool][c.client]++
}

// drop no longer counts a connection, with the lock held. It may have been dropped before.
func (a *Connections) drop(c *conn) {
	if _, counted := a.open[c.pool][c]; !counted {
		return
	}
	delete(a.open[c.pool], c)
	if a.of[c.pool][c.client]--; a.of[c.pool][c.client] == 0 {
		delete(a.of[c.pool], c.client)
	}
}

// isOverShare reports whether the client of a connection has more than a share of the pool, with the lock
// held.
func (a *Connections) isOverShare(c *conn) bool {
	return c.client.IsValid() && a.of[c.pool][c.client]*shares > a.limits[c.pool]
}

// evict closes the connection that has been idle longest, of any pool, and reports whether there
// was one. Its descriptor is free when Close has returned.
func (a *Connections) evict() bool {
	a.mu.Lock()
	victim := oldest(a.now(), a.open[:]...)
	if victim != nil {
		a.drop(victim)
	}
	a.mu.Unlock()
	if victim == nil {
		return false
	}
	_ = victim.Conn.Close()
	return true
}

// oldest returns the connection to close: of those that can be, the one whose state is oldest.
func oldest(now time.Time, open ...map[*conn]struct{}) *conn {
	var found *conn
	for _, conns := range open {
		for c := range conns {
			if c.isExpendable(now) && (found == nil || c.since.Load() < found.since.Load()) {
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
