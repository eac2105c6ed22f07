package httpserver

import (
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// TestReadTimeout: how long a client may send nothing before its connection makes room for another.
func TestReadTimeout(t *testing.T) {
	t.Parallel()
	one := netip.MustParsePrefix("192.0.2.1/32")
	for _, tt := range []struct {
		name   string
		queue  bool
		client netip.Prefix
		open   int // connections of the client, of at most 8
		heard  bool
		want   time.Duration
	}{
		{"no first byte", true, one, 1, false, slowFirst},
		{"no next byte", true, one, 1, true, slowRead},
		{"no next byte, and others cannot wait", false, one, 1, true, slowRead},
		{"a share, no first byte", true, one, 2, false, slowFirst},
		{"a share, no next byte", true, one, 2, true, slowRead},
		{"more than a share, no first byte", true, one, 3, false, slowFirst / haste},
		{"more than a share, no next byte", true, one, 3, true, slowRead / haste},
		{"a Unix socket, no next byte", true, netip.Prefix{}, 3, true, slowRead},
	} {
		begun := time.Now()
		all := NewConnections(Limits{Main: 8, Monitor: 1, Queue: tt.queue}, func() time.Time { return begun })
		var c *conn
		for range tt.open {
			c = &conn{all: all, client: tt.client}
			c.become(http.StateActive)
			all.put(c)
		}
		c.reading.Store(begun.UnixNano())
		c.heard.Store(tt.heard)
		if c.isExpendable(begun.Add(tt.want - 1)) {
			t.Errorf("%s: before %v", tt.name, tt.want)
		}
		if !c.isExpendable(begun.Add(tt.want)) {
			t.Errorf("%s: not after %v", tt.name, tt.want)
		}
		c.answering.Store(true)
		if c.isExpendable(begun.Add(time.Hour)) {
			t.Errorf("%s: while it is answered", tt.name)
		}
	}
}

// TestIsOverShare: a connection counts for its client once, from when it is open until it is closed.
func TestIsOverShare(t *testing.T) {
	t.Parallel()
	all := NewConnections(Limits{Main: 8, Monitor: 1, Queue: true}, time.Now)
	var conns []*conn
	for i := range 4 {
		c := &conn{Conn: connFrom{}, all: all, client: netip.MustParsePrefix("192.0.2.1/32")}
		if !all.add(c) {
			t.Fatal("there is no room")
		}
		conns = append(conns, c)
		if got := all.isOverShare(c); got != (i >= 2) {
			t.Errorf("%d connections: %t", i+1, got)
		}
	}
	other := &conn{Conn: connFrom{}, all: all, client: netip.MustParsePrefix("192.0.2.2/32")}
	if !all.add(other) || all.isOverShare(other) {
		t.Error("another client has no share of its own")
	}
	for range 2 { // which may be repeated
		_ = conns[0].Close()
		_ = conns[1].Close()
	}
	if all.isOverShare(conns[2]) {
		t.Error("closed connections count")
	}
	for _, c := range append(conns, other) {
		_ = c.Close()
	}
	if len(all.of[Main]) != 0 {
		t.Errorf("%v", all.of[Main])
	}
}
