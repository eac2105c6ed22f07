package serve

import (
	"net"
	"sync"
	"syscall"
	"testing"
)

// TestHopLimit: the packets of a token, and what follows on its connection, have the limit; those
// of other connections do not.
func TestHopLimit(t *testing.T) {
	t.Parallel()
	for address, option := range map[string][2]int{
		"127.0.0.1:0": {syscall.IPPROTO_IP, syscall.IP_TTL},
		"[::1]:0":     {syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS},
	} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Skip(err)
		}
		accepted := &accepting{Listener: l}
		r := startOn(t, accepted, func(c *Config) { c.HopLimit = 3 })
		idle, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		r.ask(t, "GET", "/latest/meta-data/")
		if accepted.hopsOfAny(t, option, 3) {
			t.Errorf("%s: a limit without a token", address)
		}
		r.token(t)
		if !accepted.hopsOfAny(t, option, 3) {
			t.Errorf("%s: no connection has the limit", address)
		}
		idle.Close()
	}
}

// accepting is a listener that keeps its connections.
type accepting struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (a *accepting) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.conns = append(a.conns, c)
	}
	return c, err
}

// hopsOfAny reports whether an open connection has this limit.
func (a *accepting) hopsOfAny(t *testing.T, option [2]int, limit int) bool {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.conns {
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		if err := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), option[0], option[1]) }); err != nil {
			continue // it was closed
		}
		if err == nil && got == limit {
			return true
		}
	}
	return false
}
