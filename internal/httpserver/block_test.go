package httpserver

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestBlock(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "2001:db8::1": "2001:db8::/64", "2001:db8::ffff:0:0:1": "2001:db8::/64", "2001:db8:0:1::1": "2001:db8:0:1::/64",
		"::1": "::/64", "0.0.0.0": "0.0.0.0/32",
	} {
		if got := Block(netip.MustParseAddr(text)); got != netip.MustParsePrefix(want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	if got := Block(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("invalid: %v", got)
	}
}

// TestListener_client: a connection counts for the client that it comes from.
func TestListener_client(t *testing.T) {
	t.Parallel()
	for from, want := range map[net.Addr]string{
		&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.1"), Port: 1}:      "192.0.2.1/32",
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 1}: "fe80::/64",
		&net.TCPAddr{IP: net.ParseIP("2001:db8::ffff:0:0:1"), Port: 1}:  "2001:db8::/64",
		&net.UnixAddr{Name: "@", Net: "unix"}:                           "",
	} {
		want, _ := netip.ParsePrefix(want)
		l := NewConnections(Limits{Main: 8, Monitor: 1}, time.Now).Listener(listenerOf{c: connFrom{addr: from}}, Main)
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := below(c).client; got != want {
			t.Errorf("%v: %v", from, got)
		}
	}
}

// connFrom is a connection of an address.
type connFrom struct {
	net.Conn
	addr net.Addr
}

func (c connFrom) RemoteAddr() net.Addr { return c.addr }

func (connFrom) Close() error { return nil }

// listenerOf has a connection.
type listenerOf struct {
	net.Listener
	c net.Conn
}

func (l listenerOf) Accept() (net.Conn, error) { return l.c, nil }

func (listenerOf) Close() error { return nil }
