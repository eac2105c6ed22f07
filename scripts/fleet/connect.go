package main

import (
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"time"

	"kedge/scripts/bench/rawclient"
)

// starting bounds how many hosts prepare their first bytes at the same time: all of them share the
// processors of this machine.
type starting chan struct{}

func newStarting() starting { return make(starting, 2*runtime.GOMAXPROCS(0)) }

// connect returns a connection from the host's own address. Of several servers it takes one at
// random, as from a name with several addresses; if that one refuses connections, the next.
func (c *crowd) connect(h *host) *rawclient.Conn {
	n := h.number + 1
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+n>>16), byte(n>>8), byte(n))}
	dialer := &net.Dialer{LocalAddr: from, Timeout: 10 * time.Second}
	dial := func() (conn net.Conn, err error) {
		first := rand.N(len(c.servers))
		for i := range c.servers {
			if conn, err = dialer.Dial("tcp4", c.servers[(first+i)%len(c.servers)]); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
	return &rawclient.Conn{TLS: c.tls, Host: c.servers[0], Dial: func() (net.Conn, error) {
		c.starting <- struct{}{}
		return &lateConn{dial: dial, started: sync.OnceFunc(func() { <-c.starting })}, nil
	}}
}

// lateConn is a connection that is opened when its first bytes are there to be sent. Thousands of hosts
// that open theirs before would be silent until this machine has computed those bytes, for longer than
// servers leave a place to a silent client while others wait; a host with a processor of its own is not.
type lateConn struct {
	net.Conn // nil: not open yet
	dial     func() (net.Conn, error)
	started  func() // called when the first bytes are sent, or never will be
	deadline time.Time
}

// Write implements net.Conn.
func (c *lateConn) Write(p []byte) (int, error) {
	defer c.started()
	if c.Conn != nil {
		return c.Conn.Write(p)
	}
	conn, err := c.dial()
	if err != nil {
		return 0, err
	}
	c.Conn = conn
	if err := conn.SetDeadline(c.deadline); err != nil {
		return 0, err
	}
	return conn.Write(p)
}

// SetDeadline implements net.Conn.
func (c *lateConn) SetDeadline(t time.Time) error {
	c.deadline = t
	if c.Conn == nil {
		return nil
	}
	return c.Conn.SetDeadline(t)
}

// Close implements net.Conn.
func (c *lateConn) Close() error {
	c.started()
	if c.Conn == nil {
		return nil
	}
	return c.Conn.Close()
}
