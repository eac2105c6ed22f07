package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// maxHopLimit is the maximum of EC2's HttpPutResponseHopLimit.
const maxHopLimit = 64

// HopLimitError reports that the system does not allow setting the hop limit. Without the limit a
// token could pass routers, so none is issued.
type HopLimitError struct {
	Limit   int
	Address net.Addr // of the listener, or this end of a connection
	Err     error
}

func (e *HopLimitError) Error() string {
	return fmt.Sprintf("the hop limit %d cannot be set on %s: %v", e.Limit, e.Address, e.Err)
}
func (e *HopLimitError) Unwrap() error { return e.Err }

// CheckHopLimit tries on a new socket whether the limit can be set for connections of the listener.
// The error is a *HopLimitError.
func CheckHopLimit(l net.Listener, limit int) error {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil // a Unix socket ends on this machine
	}
	family := syscall.AF_INET
	if tcp.IP.To4() == nil {
		family = syscall.AF_INET6
	}
	level, option := hopOption(tcp)
	if err := tryOption(family, level, option, limit); err != nil {
		return &HopLimitError{limit, tcp, err}
	}
	return nil
}

// limitHops limits the number of routers that packets sent from now on, such as those with a token,
// can pass. A request that was forwarded by a router or a container's network then gets no token.
// The limit is not reset, as it must hold for retransmissions too.
func (s *Server) limitHops(r *http.Request) error {
	c, ok := r.Context().Value(connKey{}).(*hopState)
	if !ok || s.hopLimit == 0 {
		return nil
	}
	c.once.Do(func() {
		if err := setHops(c.conn, s.hopLimit); err != nil {
			c.unlimited = &HopLimitError{s.hopLimit, c.conn.LocalAddr(), err}
		}
	})
	return c.unlimited
}

// hopState is whether the packets of a connection are limited.
type hopState struct {
	conn      net.Conn
	once      sync.Once
	unlimited error // the error of setting the hop limit
}

// connKey is the key of the hopState in a request's context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &hopState{conn: c})
}

func setHops(c net.Conn, limit int) error {
	if counted, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = counted.NetConn()
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil // a Unix socket ends on this machine
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	level, option := hopOption(tcp.LocalAddr())
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = setOption(fd, level, option, limit) }); err != nil {
		return err
	}
	return failed
}

func hopOption(local net.Addr) (level, option int) {
	if tcp, ok := local.(*net.TCPAddr); ok && tcp.IP.To4() == nil {
		return syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS
	}
	return syscall.IPPROTO_IP, syscall.IP_TTL
}
