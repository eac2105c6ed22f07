package serve

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxConnections = 512
	// slowRequest is how long the bytes of a request may take before others matter more.
	slowRequest = time.Second
)

// connections are the open ones, of all listeners.
type connections struct {
	mu   sync.Mutex
	open map[*conn]struct{}
}

// conn is a connection whose age and state are known.
type conn struct {
	net.Conn
	all       *connections
	now       func() time.Time
	state     atomic.Int32 // an http.ConnState
	since     atomic.Int64 // when it came to this state, in Unix nanoseconds
	hops      sync.Once
	unlimited error // that of hops
	release   sync.Once
}

// listener gives out conns. When there are too many, the one that has been waiting for a request
// longest is closed; a new one is, where all the others work.
type listener struct {
	net.Listener
	all *connections
	now func() time.Time
}

func (l listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, all: l.all, now: l.now}
		c.become(http.StateNew)
		if l.all.add(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

func (a *connections) add(c *conn) bool {
	a.mu.Lock()
	full := len(a.open) >= maxConnections
	var victim *conn
	if full {
		victim = a.oldest(c.now())
	}
	if a.open == nil {
		a.open = map[*conn]struct{}{}
	}
	if victim != nil {
		delete(a.open, victim)
	}
	if !full || victim != nil {
		a.open[c] = struct{}{}
	}
	a.mu.Unlock()
	if victim != nil {
		_ = victim.Conn.Close()
	}
	return !full || victim != nil
}

// oldest is the connection to give up: one that is idle, new, or slow with its request.
func (a *connections) oldest(now time.Time) *conn {
	var found *conn
	for c := range a.open {
		since := c.since.Load()
		if http.ConnState(c.state.Load()) == http.StateActive && now.UnixNano()-since < int64(slowRequest) {
			continue
		}
		if found == nil || since < found.since.Load() {
			found = c
		}
	}
	return found
}

func (a *connections) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open)
}

func (c *conn) become(state http.ConnState) {
	c.state.Store(int32(state))
	c.since.Store(c.now().UnixNano())
}

// Close closes the connection, which then no longer counts.
func (c *conn) Close() error {
	c.release.Do(func() {
		c.all.mu.Lock()
		delete(c.all.open, c)
		c.all.mu.Unlock()
	})
	return c.Conn.Close()
}

// connKey is where the context of a request has its conn.
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
