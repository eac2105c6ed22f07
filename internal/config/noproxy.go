package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// withoutProxy reports whether u is asked without a proxy: it is this machine's, or an entry of list, the
// value of NO_PROXY, matches it. The rules are those of net/http, except that names that are not ASCII
// are compared as they are written.
func withoutProxy(list string, u *url.URL) bool {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	var ip net.IP // nil for a host with a name
	if address, err := netip.ParseAddr(host); err == nil {
		ip = address.AsSlice()
	}
	if host == "localhost" || ip.IsLoopback() {
		return true
	}
	host = strings.ToLower(host)
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if _, network, err := net.ParseCIDR(entry); err == nil {
			if ip != nil && network.Contains(ip) {
				return true
			}
			continue
		}
		name, itsPort, err := net.SplitHostPort(entry)
		if err != nil {
			name, itsPort = entry, ""
		}
		if entry == "*" || (itsPort == "" || itsPort == port) && matchesHost(name, host, ip) {
			return true
		}
	}
	return false
}

// matchesHost reports whether an entry is this host or a domain that it is in: example.com is both, .example.com
// and *.example.com are the domain alone. Addresses match nothing but themselves.
func matchesHost(entry, host string, ip net.IP) bool {
	if address := net.ParseIP(entry); address != nil || ip != nil {
		return address != nil && address.Equal(ip)
	}
	if entry == "" {
		return false
	}
	if strings.HasPrefix(entry, "*.") || strings.HasPrefix(entry, ".") {
		return strings.HasSuffix(host, strings.TrimPrefix(entry, "*"))
	}
	return host == entry || strings.HasSuffix(host, "."+entry)
}
