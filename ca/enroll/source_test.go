package enroll

import (
	"net/http"
	"net/netip"
	"testing"
)

// TestSource: only what proxies that are listed have added is read, from the end.
func TestSource(t *testing.T) {
	t.Parallel()
	listed := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("2001:db8::/64")}}
	unix := Proxies{Unix: true}
	for _, tt := range []struct {
		name      string
		proxies   Proxies
		remote    string
		forwarded []string
		want      string // empty: invalid
	}{
		{"no proxy", Proxies{}, "198.51.100.7:1234", nil, "198.51.100.7"},
		{"nobody is trusted", Proxies{}, "198.51.100.7:1234", []string{"192.0.2.1"}, "198.51.100.7"},
		{"not a proxy", listed, "198.51.100.7:1234", []string{"192.0.2.1"}, "198.51.100.7"},
		{"a proxy", listed, "10.0.0.1:1", []string{"192.0.2.1"}, "192.0.2.1"},
		{"what the client wrote", listed, "10.0.0.1:1", []string{"203.0.113.9, 192.0.2.1"}, "192.0.2.1"},
		{"in another header", listed, "10.0.0.1:1", []string{"203.0.113.9", "192.0.2.1"}, "192.0.2.1"},
		{"two proxies", listed, "10.0.0.1:1", []string{"203.0.113.9, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"only proxies", listed, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"none", listed, "10.0.0.1:1", nil, "10.0.0.1"},
		{"empty", listed, "10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"no address", listed, "10.0.0.1:1", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		{"text before the proxies", listed, "10.0.0.1:1", []string{"<script>, 10.0.0.2"}, "10.0.0.2"},
		{"IPv6", listed, "[2001:db8::1]:1", []string{"2001:db8:1::2"}, "2001:db8:1::2"},
		{"IPv6 with a port", listed, "[2001:db8::1]:1", []string{"[2001:db8:1::2]:99"}, "2001:db8:1::2"},
		{"IPv6 in brackets", listed, "[2001:db8::1]:1", []string{"[2001:db8:1::2]"}, "2001:db8:1::2"},
		{"a zone", Proxies{}, "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"IPv4 in IPv6", listed, "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a Unix socket", listed, "@", []string{"192.0.2.1"}, ""},
		{"a proxy on a Unix socket", unix, "@", []string{"192.0.2.1"}, "192.0.2.1"},
		{"a Unix socket without a proxy", unix, "@", nil, ""},
		{"a connection is no Unix socket", unix, "10.0.0.1:1", []string{"192.0.2.1"}, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{"X-Forwarded-For": tt.forwarded, "X-Real-Ip": {"203.0.113.1"}, "Forwarded": {"for=203.0.113.2"}}}
		got := tt.proxies.source(r)
		if want, _ := netip.ParseAddr(tt.want); got != want {
			t.Errorf("%s: %v, want %v", tt.name, got, want)
		}
	}
}

// TestIsForwarded: a request with a header of a proxy is its client's, whoever sent it, and so is each of a
// trusted proxy.
func TestIsForwarded(t *testing.T) {
	t.Parallel()
	listed := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}
	for header, want := range map[string]bool{
		"X-Forwarded-For": true, "Forwarded": true, "Via": true, "X-Real-IP": true, "X-Forwarded-Proto": true, "X-Forwarded-Client-Cert": true,
		"Accept": false, "X-Forwarded": false,
	} {
		r := &http.Request{RemoteAddr: "192.0.2.1:1", Header: http.Header{}}
		r.Header.Set(header, "")
		if got := listed.isForwarded(r); got != want {
			t.Errorf("%s: %t", header, got)
		}
	}
	for _, tt := range []struct {
		proxies Proxies
		remote  string
		want    bool
	}{{listed, "10.0.0.1:1", true}, {listed, "192.0.2.1:1", false}, {listed, "@", false}, {Proxies{}, "10.0.0.1:1", false}, {Proxies{Unix: true}, "@", true}} {
		if got := tt.proxies.isForwarded(&http.Request{RemoteAddr: tt.remote}); got != tt.want {
			t.Errorf("%s, %+v: %t", tt.remote, tt.proxies, got)
		}
	}
}
