package serve

import (
	"net"
	"net/http"
	"syscall"
)

// maxHopLimit is that of EC2's HttpPutResponseHopLimit.
const maxHopLimit = 64

// limitHops makes what is sent from now on, such as a token, die after so many routers. A request
// that is passed on by a router or a container's network then gets no token. The limit stays: it
// must hold for what is sent again, too.
func (s *Server) limitHops(r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok || s.hopLimit == 0 {
		return
	}
	c.hops.Do(func() {
		if err := setHops(c.Conn, s.hopLimit); err != nil {
			s.seldom.warn("the hop limit could not be set", "error", err)
		}
	})
}

func setHops(c net.Conn, limit int) error {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil // a Unix socket ends on this machine
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	local, ok := tcp.LocalAddr().(*net.TCPAddr)
	level, option := syscall.IPPROTO_IP, syscall.IP_TTL
	if ok && local.IP.To4() == nil {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = setOption(fd, level, option, limit) }); err != nil {
		return err
	}
	return failed
}
