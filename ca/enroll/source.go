package enroll

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the proxies whose word about the address of a client is taken. The zero Proxies are
// none.
type Proxies struct {
	Networks []netip.Prefix
	Unix     bool // whatever connects to a Unix socket of the server
}

// trusts reports whether a connection may be one of a proxy. The address of a Unix socket is invalid.
func (p Proxies) trusts(addr netip.Addr) bool {
	if !addr.IsValid() {
		return p.Unix
	}
	for _, network := range p.Networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// source returns the address of a client: that of the connection or, if that is a trusted proxy's,
// the last one in X-Forwarded-For that is not. Each proxy adds the address of its client at the end:
// what stands before, the client may have written. The result is invalid for a Unix socket without a
// proxy that is trusted.
func (p Proxies) source(r *http.Request) netip.Addr {
	from := parseAddr(r.RemoteAddr)
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && p.trusts(from); i-- {
		before := parseAddr(strings.TrimSpace(forwarded[i]))
		if !before.IsValid() {
			break
		}
		from = before
	}
	return from
}

// isForwarded reports whether a proxy has sent a request of its client: then the connection, and a
// certificate that was shown on it, are the proxy's. What a trusted proxy sends is forwarded, whatever its
// headers. The headers of any proxy count, also of one that is not trusted: a client that adds one itself
// loses by it.
func (p Proxies) isForwarded(r *http.Request) bool {
	if p.trusts(parseAddr(r.RemoteAddr)) {
		return true
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded-") || slices.Contains([]string{"Forwarded", "Via", "X-Real-Ip"}, name) {
			return true
		}
	}
	return false
}

// parseAddr reads an address, with or without a port. It returns the invalid address for all else.
func parseAddr(text string) netip.Addr {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		with, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}
		}
		addr = with.Addr()
	}
	return addr.Unmap().WithZone("")
}
