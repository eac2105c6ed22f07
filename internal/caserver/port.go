package caserver

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// portWarning is a warning if hosts use a port of the URL on which none of the listeners is. It is empty if one is,
// if the server has no URL, or if it listens on a socket without a port.
func portWarning(text string, listeners []net.Listener) string {
	u, err := url.Parse(text)
	if err != nil || text == "" || len(listeners) == 0 {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	for _, l := range listeners {
		tcp, ok := l.Addr().(*net.TCPAddr)
		if !ok || strconv.Itoa(tcp.Port) == port {
			return ""
		}
	}
	host := "" // all addresses
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		host = ip.String()
	}
	return fmt.Sprintf("hosts are given the URL %s with port %s, and this server listens on %s: give --listen %s, unless a proxy leads from the one to the other",
		text, port, listeners[0].Addr(), net.JoinHostPort(host, port))
}
