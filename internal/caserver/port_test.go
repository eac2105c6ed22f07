package caserver

import (
	"net"
	"strings"
	"testing"
)

// TestPortWarning: the listeners of the test are on port 8443.
func TestPortWarning(t *testing.T) {
	t.Parallel()
	unix := at{addr: &net.UnixAddr{Name: "/run/ca", Net: "unix"}}
	for name, tt := range map[string]struct {
		url       string
		listeners []net.Listener
		listen    string // in the advice; empty: no warning
	}{
		"same port":     {"https://ca.example.com:8443", []net.Listener{tcp("::")}, ""},
		"address":       {"https://127.0.0.1:20201", []net.Listener{tcp("::")}, "--listen 127.0.0.1:20201,"},
		"IPv6":          {"https://[::1]:20201", []net.Listener{tcp("::1")}, "--listen [::1]:20201,"},
		"name":          {"https://ca.example.com", []net.Listener{tcp("::")}, "--listen :443,"},
		"no URL":        {"", []net.Listener{tcp("127.0.0.1")}, ""},
		"Unix socket":   {"https://ca.example.com", []net.Listener{unix}, ""},
		"no listener":   {"https://ca.example.com", nil, ""},
		"one of them":   {"https://ca.example.com:8443", []net.Listener{at{addr: &net.TCPAddr{Port: 1}}, tcp("::")}, ""},
		"not a URL":     {"https://%", []net.Listener{tcp("::")}, ""},
		"its own words": {"https://127.0.0.1:20201", []net.Listener{tcp("::")}, "port 20201, and this server listens on [::]:8443: give"},
	} {
		got := portWarning(tt.url, tt.listeners)
		if (got == "") != (tt.listen == "") || !strings.Contains(got, tt.listen) {
			t.Errorf("%s: %q, want %q", name, got, tt.listen)
		}
	}
}
