package httpserver

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// When a client counts as slow, so that its connection may be closed for others.
const (
	slowFirst   = 500 * time.Millisecond // without the first byte: who waited for a place has sent it by then
	slowRead    = 3 * time.Second        // without a byte
	slowRequest = headerTime             // without a whole request, while the server waits for more of it
)

// A client with more than a share of a pool has less time for its first byte and for the next: its
// connections are the first that make room for those of others. Many hosts behind one address still
// come through, for they have no pauses that long.
const (
	shares = 4 // of a pool: one client has one
	haste  = 6 // by which the time is divided
)

// conn is a connection with its pool and state.
type conn struct {
	net.Conn
	all     *Connections
	pool    Pool
	client  netip.Prefix // see Block; invalid if the address is not known
	state   atomic.Int32 // an http.ConnState
	since   atomic.Int64 // when the state last changed, in Unix nanoseconds
	release sync.Once

	reading   atomic.Int64 // since when Read has waited for the client, in Unix nanoseconds; 0: it does not wait
	heard     atomic.Bool  // the client has sent something
	answering atomic.Bool  // see Answering
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	c.reading.Store(c.all.now().UnixNano())
	n, err := c.Conn.Read(p)
	c.reading.Store(0)
	if n > 0 {
		c.heard.Store(true)
	}
	return n, err
}

// isExpendable reports whether the connection can be closed for another: it is idle, or slow to send its
// request. One that waits for the server is not, however long that takes. Where others cannot wait, one
// that has sent nothing is at once. The lock of all connections is held.
func (c *conn) isExpendable(now time.Time) bool {
	if http.ConnState(c.state.Load()) == http.StateIdle {
		return true
	}
	if !c.heard.Load() && !c.all.queue && http.ConnState(c.state.Load()) == http.StateNew {
		return true // also before its goroutine reads
	}
	reading := c.reading.Load()
	if reading == 0 || c.answering.Load() {
		return false
	}
	return now.UnixNano()-reading >= int64(c.readTimeout()) || now.UnixNano()-c.since.Load() >= int64(slowRequest)
}

// readTimeout returns how long the client may send nothing, with the lock of all connections held.
func (c *conn) readTimeout() time.Duration {
	longest := slowRead
	if !c.heard.Load() {
		longest = slowFirst
	}
	if c.all.isOverShare(c) {
		longest /= haste
	}
	return longest
}

func (c *conn) become(state http.ConnState) {
	c.answering.Store(false)
	c.state.Store(int32(state))
	c.since.Store(c.all.now().UnixNano())
	if state == http.StateIdle {
		c.all.notify()
	}
}

// Close closes the connection, which then no longer counts.
func (c *conn) Close() error {
	c.release.Do(func() {
		c.all.mu.Lock()
		c.all.drop(c)
		c.all.mu.Unlock()
		c.all.notify()
	})
	return c.Conn.Close()
}

// NetConn returns the connection below, as that of tls.Conn does.
func (c *conn) NetConn() net.Conn { return c.Conn }

// below returns the connection of a listener of ours below TLS, or nil.
func below(c net.Conn) *conn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// stateChanged is http.Server.ConnState.
func stateChanged(c net.Conn, state http.ConnState) {
	if c := below(c); c != nil {
		c.become(state)
	}
}

// connKey is the key of the connection in the context of its requests.
type connKey struct{}

// withConn is http.Server.ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if c := below(c); c != nil {
		ctx = context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// Answering is called by a handler that has read its request in full, with the request's context: from
// then on the connection is not closed for others, however long the answer takes.
func Answering(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.answering.Store(true)
	}
}
