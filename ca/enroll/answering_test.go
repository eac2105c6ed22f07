package enroll

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/httpserver"
)

// TestAnswering: a GET whose answer takes long is answered, though its connection has the only place and
// others wait for it.
func TestAnswering(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(s *Server, answer func()) http.Handler{
		"show": func(s *Server, answer func()) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.show(w, r, jsonProtocol(), func() (any, error) { answer(); return struct{}{}, nil })
			})
		},
		"plain": func(_ *Server, answer func()) http.Handler {
			return onlyRead(func(context.Context, http.ResponseWriter, *http.Request) { answer() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var passed atomic.Int64
			conns := httpserver.NewConnections(httpserver.Limits{Main: 1, Monitor: 1, Queue: true}, func() time.Time { return time.Now().Add(time.Duration(passed.Load())) })
			begun, proceed := make(chan struct{}, 2), make(chan struct{})
			l, err := net.Listen("tcp", "127.0.0.1:0")
			w.must(err)
			server := httpserver.New(handler(w.server, func() { begun <- struct{}{}; <-proceed }), httpserver.NewRateLimited(slog.New(slog.DiscardHandler)))
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- httpserver.Run(ctx, time.Minute, server, conns.Listener(l, httpserver.Main)) }()
			t.Cleanup(func() {
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
			ask := func() net.Conn {
				c, err := net.Dial("tcp", l.Addr().String())
				w.must(err)
				t.Cleanup(func() { _ = c.Close() })
				_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
				w.must(err)
				return c
			}
			first := ask()
			<-begun
			passed.Store(int64(time.Hour))
			second := ask()
			select {
			case <-begun:
				t.Error("the second took the place of the first")
			case <-time.After(300 * time.Millisecond): // a full pool is checked again within 100 ms
			}
			close(proceed)
			for _, c := range []net.Conn{first, second} {
				response, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || response.StatusCode != http.StatusOK {
					t.Fatalf("%v, %v", response, err)
				}
				_ = response.Body.Close()
			}
		})
	}
}
