package httpserver

import (
	"net"
	"net/netip"
)

// Block returns the addresses that count as one client: an IPv4 address, or the /64 of IPv6, of which
// a single host can use every address. It is invalid for an invalid address.
func Block(addr netip.Addr) netip.Prefix {
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// clientOf returns the client of a connection; invalid for a Unix socket.
func clientOf(c net.Conn) netip.Prefix {
	from, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	return Block(from.AddrPort().Addr().Unmap().WithZone(""))
}
