package serve

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kedge/internal/httpserver"
)

// TestBudget_shared: all listeners for credentials have one budget, and the monitor one of its own;
// neither takes what the other has.
func TestBudget_shared(t *testing.T) {
	t.Parallel()
	s, addresses := serveAll(t, Config{Descriptors: 64}, 2)
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
	for _, pool := range []httpserver.Pool{httpserver.Main, httpserver.Monitor} {
		if open, limit := s.conns.Open(pool); open > limit || limit > 32 {
			t.Errorf("pool %d: %d connections, the limit is %d", pool, open, limit)
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
