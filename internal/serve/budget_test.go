package serve

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestBudgets: all connections together take at most half of the descriptors, as far as there is one
// for each pool.
func TestBudgets(t *testing.T) {
	t.Parallel()
	for descriptors, want := range map[uint64][pools]int{
		0: {1, 1}, 2: {1, 1}, 4: {1, 1}, 20: {8, 2}, 64: {24, 8}, 256: {112, 16}, 1024: {496, 16}, 1056: {512, 16}, 4096: {512, 16}, math.MaxUint64: {512, 16},
	} {
		got := budgets(descriptors)
		if got != want {
			t.Errorf("%d: %v, want %v", descriptors, got, want)
		}
		if all := got[endpointPool] + got[monitorPool]; descriptors >= 4 && uint64(all) > descriptors/2 {
			t.Errorf("%d: %d connections", descriptors, all)
		}
	}
}

// TestBudget_shared: all listeners for credentials have one budget, and the monitor one of its own;
// neither takes what the other has.
func TestBudget_shared(t *testing.T) {
	t.Parallel()
	s, addresses := serveAll(t, Config{Descriptors: 64}, 2)
	limits := budgets(64)
	dial := func(address string, n int) {
		for range n {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
		}
	}
	const each = 100
	for _, address := range addresses {
		dial(address, each)
	}
	// A request is accepted after the connections before it at its listener. One that the other listener
	// accepts then may take its place: they are no more than those.
	for i, path := range []string{"/latest/meta-data/", "/latest/meta-data/", "/healthz"} {
		response, err := http.Get("http://" + addresses[i] + path)
		for tries := 1; err != nil && tries <= each; tries++ {
			response, err = http.Get("http://" + addresses[i] + path)
		}
		if err != nil {
			t.Errorf("listener %d: %v", i, err)
			continue
		}
		response.Body.Close()
	}
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	for i, conns := range s.conns.open {
		if len(conns) > limits[i] {
			t.Errorf("pool %d: %d connections, the limit is %d", i, len(conns), limits[i])
		}
	}
}

// serveAll runs a server with so many listeners for credentials and a monitor, whose address is the last.
func serveAll(t *testing.T, cfg Config, n int) (*Server, []string) {
	t.Helper()
	cfg.Roles, cfg.Authorization = []Role{{Name: "app", Credentials: &source{next: credentials("ASIA1")}}}, authorization
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var listeners []net.Listener
	var addresses []string
	for range n + 1 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners, addresses = append(listeners, l), append(addresses, l.Addr().String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- s.Serve(ctx, time.Second, listeners[:n]...) }()
	go func() { done <- s.ServeMonitor(ctx, listeners[n]) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return s, addresses
}

// exhausted is a listener without descriptors as long as more than a number of connections are open.
type exhausted struct {
	net.Listener
	all  *connections
	most int
	err  error
}

func (l exhausted) Accept() (net.Conn, error) {
	if l.all.count() > l.most {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.err)}
	}
	a, b := net.Pipe()
	_ = b.Close()
	return a, nil
}

// TestListener_noDescriptors: the connection that has been idle longest, of any pool, is closed; a
// busy one is not, and if there is no other, the error is returned.
func TestListener_noDescriptors(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE} {
		now := time.Now()
		all := &connections{limits: [pools]int{10, 10}}
		add := func(p pool, state http.ConnState, age time.Duration) *conn {
			a, b := net.Pipe()
			t.Cleanup(func() { b.Close() })
			c := &conn{Conn: a, all: all, pool: p, now: func() time.Time { return now.Add(-age) }}
			c.become(state)
			all.add(c)
			return c
		}
		busy := add(endpointPool, http.StateActive, time.Millisecond)
		young := add(endpointPool, http.StateIdle, time.Minute)
		old := add(monitorPool, http.StateIdle, time.Hour)
		l := listener{exhausted{all: all, most: 2, err: errno}, all, endpointPool, func() time.Time { return now }}
		if _, err := l.Accept(); err != nil {
			t.Fatalf("%v: %v", errno, err)
		}
		for c, want := range map[*conn]bool{busy: true, young: true, old: false} {
			if got := isOpen(c); got != want {
				t.Errorf("%v: the one of state %v: open %v, want %v", errno, http.ConnState(c.state.Load()), got, want)
			}
		}
		only := &connections{limits: [pools]int{10, 10}}
		all = only
		add(endpointPool, http.StateActive, 0)
		l = listener{exhausted{all: only, most: 0, err: errno}, only, endpointPool, func() time.Time { return now }}
		if _, err := l.Accept(); !isOutOfDescriptors(err) {
			t.Errorf("%v: %v", errno, err)
		}
	}
}

func isOpen(c *conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(-time.Second))
	_, err := c.Read(make([]byte, 1))
	return fmt.Sprint(err) != io.ErrClosedPipe.Error()
}

// TestMonitor_host: a web page whose host name resolves to this machine reads neither health nor
// metrics.
func TestMonitor_host(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Roles: []Role{{Name: "app", Credentials: reported{}}}, Hosts: []string{"web-01.internal"}})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"127.0.0.1:9912": 200, "localhost": 200, "[::1]:9912": 200, "10.0.0.7:9912": 200, "web-01.internal:9912": 200, "WEB-01.internal.": 200,
		"evil.example": 403, "evil.example:9912": 403, "10.0.0.8:9912": 403, "localhost.evil.example": 403, "0.0.0.0": 403, "": 403,
	} {
		for _, path := range []string{"/healthz", "/metrics", "/other"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			local := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 9912}
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
			w := httptest.NewRecorder()
			s.Monitor().ServeHTTP(w, r)
			wanted := want
			if path == "/other" && want == 200 {
				wanted = 404
			}
			if w.Code != wanted {
				t.Errorf("%s of Host %q: %d, want %d", path, host, w.Code, wanted)
			}
		}
	}
}
