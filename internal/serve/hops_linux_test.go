package serve

import (
	"net"
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
		r := startOn(t, l, func(c *Config) { c.HopLimit = 3 })
		idle, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		r.ask(t, "GET", "/latest/meta-data/")
		if r.hopsOfAny(t, option, 3) {
			t.Errorf("%s: a limit without a token", address)
		}
		r.token(t)
		if !r.hopsOfAny(t, option, 3) {
			t.Errorf("%s: no connection has the limit", address)
		}
		idle.Close()
	}
}

// hopsOfAny reports whether an open connection has this limit.
func (r *running) hopsOfAny(t *testing.T, option [2]int, limit int) bool {
	t.Helper()
	r.conns.mu.Lock()
	defer r.conns.mu.Unlock()
	for c := range r.conns.open[endpointPool] {
		raw, err := c.Conn.(*net.TCPConn).SyscallConn()
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
