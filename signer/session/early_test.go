package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// connections counts those of a server, and tells of each that begins or ends.
type connections struct {
	opened, closed chan struct{}
	mu             sync.Mutex
	count          int
}

// watch is called before the server starts.
func watch(s *service) *connections {
	w := &connections{opened: make(chan struct{}, 16), closed: make(chan struct{}, 16)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			w.mu.Lock()
			w.count++
			w.mu.Unlock()
			w.opened <- struct{}{}
		case http.StateClosed:
			w.closed <- struct{}{}
		}
	}
	return w
}

func (w *connections) number() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// early makes a Client of cfg that connects early.
func early(t *testing.T, s *service, cfg Config, wait time.Duration) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPClient = c.connect(wait)
	c, err = New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.sleep = s.clock.sleep
	return c
}

// TestConnect: the first request takes the connection that is there, a second one its own, and each is
// closed after its answer.
func TestConnect(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*service){
		"http":  func(s *service) { s.Start() },
		"https": func(s *service) { s.StartTLS() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := unstarted(success())
			w := watch(s)
			start(s)
			t.Cleanup(s.Close)
			c := early(t, s, s.config(), time.Hour)
			<-w.opened // before there is a request
			for n := 1; n <= 2; n++ {
				if _, err := c.CreateSession(t.Context(), identity()); err != nil {
					t.Fatal(err)
				}
				<-w.closed
				if w.number() != n || s.count() != n {
					t.Errorf("%d connections for %d requests, not %d", w.number(), s.count(), n)
				}
			}
		})
	}
}

// TestConnect_unused: a connection that waits for too long is closed, and the request has its own.
func TestConnect_unused(t *testing.T) {
	t.Parallel()
	s := unstarted(success())
	w := watch(s)
	s.Start()
	t.Cleanup(s.Close)
	c := early(t, s, s.config(), 0)
	<-w.closed
	if _, err := c.CreateSession(t.Context(), identity()); err != nil {
		t.Fatal(err)
	}
	if w.number() != 2 || s.count() != 1 || len(s.clock.pauses) != 0 {
		t.Errorf("%d connections, %d requests, %d pauses", w.number(), s.count(), len(s.clock.pauses))
	}
}

// TestConnect_outcome: whatever becomes of the early connection, the outcome is the one without it.
func TestConnect_outcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		secure bool
		step   http.HandlerFunc
		change func(*Config, *service)
	}{
		{"a session", true, success(), nil},
		{"refused", true, fail(403, "AccessDeniedException", "Untrusted signing certificate"), nil},
		{"nothing listens", false, success(), func(_ *Config, s *service) { s.Listener.Close() }},
		{"no such host", false, success(), func(c *Config, _ *service) { c.Endpoint = "https://nowhere.invalid" }},
		{"another CA", true, success(), func(c *Config, _ *service) { c.RootCAs = nil }},
		{"another name", true, success(), func(c *Config, s *service) { c.Endpoint = strings.Replace(s.URL, "127.0.0.1", "localhost", 1) }},
		{"no TLS", false, success(), func(c *Config, s *service) { c.Endpoint = strings.Replace(s.URL, "http:", "https:", 1) }},
		{"closed by the server", false, success(), nil},
		{"cut off", false, cut, func(c *Config, _ *service) { c.MaxAttempts = 1 }},
		{"no session", true, reply(http.StatusCreated, "{"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := unstarted(tt.step)
			w := watch(s)
			if tt.secure {
				s.StartTLS()
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			cfg := s.config()
			if tt.change != nil {
				tt.change(&cfg, s)
			}
			usual, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			usual.sleep = s.clock.sleep
			_, want := usual.CreateSession(t.Context(), identity())
			sent, paused := s.count(), len(s.clock.pauses)
			c := early(t, s, cfg, time.Hour)
			e := c.cfg.HTTPClient.(*http.Client).Transport.(*earlyConn)
			<-e.opened
			if tt.name == "closed by the server" {
				closed := make(chan struct{})
				e.conn.SetStateHook(func(*http.ClientConn) { close(closed) })
				<-w.opened // for the first request
				<-w.opened
				s.CloseClientConnections()
				<-closed
			}
			_, got := c.CreateSession(t.Context(), identity())
			if text(got) != text(want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if s.count() != 2*sent || len(s.clock.pauses) != 2*paused {
				t.Errorf("%d requests and %d pauses, in all; %d and %d were without", s.count(), len(s.clock.pauses), sent, paused)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestConnect_silent: a server that accepts and sends nothing takes no longer than the exchange may.
func TestConnect_silent(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	s := newService(t, success())
	cfg := s.config()
	cfg.Endpoint, cfg.Timeout = "https://"+silent.Addr().String(), 50*time.Millisecond
	_, err = early(t, s, cfg, time.Hour).CreateSession(t.Context(), identity())
	if _, ok := errors.AsType[*TimeoutError](err); !ok {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	cfg.Timeout = 0
	if _, err = early(t, s, cfg, time.Hour).CreateSession(ctx, identity()); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

// TestConnect_not: neither past the proxy, nor for a client of the caller's own.
func TestConnect_not(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	proxy := httptest.NewServer(s)
	t.Cleanup(proxy.Close)
	through := func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	for name, change := range map[string]func(*Config){
		"a proxy": func(c *Config) { c.Proxy = through },
		"no proxy's address": func(c *Config) {
			c.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("no address") }
		},
		"a proxy of its own": func(c *Config) { c.HTTPClient = &http.Client{Transport: &http.Transport{Proxy: through}} },
		"no http.Client":     func(c *Config) { c.HTTPClient = doer(s.Client().Do) },
		"no http.Transport":  func(c *Config) { c.HTTPClient = &http.Client{Transport: http.NewFileTransport(http.Dir(t.TempDir()))} },
		"the default one":    func(c *Config) { c.HTTPClient = &http.Client{} },
	} {
		c := s.client(t, change)
		if h, ok := c.Connect().(*http.Client); ok {
			if _, connects := h.Transport.(*earlyConn); connects {
				t.Errorf("%s: it connects", name)
			}
		}
	}
	direct := s.client(t, func(c *Config) { c.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil } })
	if _, connects := direct.Connect().(*http.Client).Transport.(*earlyConn); !connects {
		t.Error("without a proxy for this host it does not connect")
	}
}

// TestConnect_elsewhere: what is for another host, or for TLS, never goes over the early connection.
func TestConnect_elsewhere(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	port := s.Listener.Addr().(*net.TCPAddr).Port
	for _, address := range []string{
		strings.Replace(s.URL, "http:", "https:", 1),
		fmt.Sprintf("https://localhost:%d", port), fmt.Sprintf("http://nowhere.invalid:%d", port),
		"http://[::1]:1", "http://127.0.0.1:1", "https://127.0.0.1:1",
	} {
		h := early(t, s, s.config(), time.Hour).cfg.HTTPClient.(*http.Client)
		<-h.Transport.(*earlyConn).opened
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := h.Do(req); err == nil {
			resp.Body.Close()
		}
		if s.count() != 0 {
			t.Fatalf("a request to %s came over the connection to %s", address, s.URL)
		}
	}
}
