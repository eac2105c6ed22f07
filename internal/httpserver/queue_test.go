package httpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// room is a server with two connections at a time, whose handler answers when it is told to.
type room struct {
	t       *testing.T
	all     *Connections
	address string
	begun   chan struct{} // one for each request that the handler has
	answer  chan struct{}
	release func()       // answers all
	passed  atomic.Int64 // on the server's clock, besides real time
}

func (r *room) now() time.Time { return time.Now().Add(time.Duration(r.passed.Load())) }

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, begun: make(chan struct{}, 9), answer: make(chan struct{})}
	r.release = sync.OnceFunc(func() { close(r.answer) })
	r.all = NewConnections(Limits{Main: 2, Monitor: 1, Queue: true}, r.now)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = l.Addr().String()
	handler := http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		Answering(q.Context())
		r.begun <- struct{}{}
		<-r.answer
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, time.Minute, New(handler, NewRateLimited(slog.New(slog.DiscardHandler))), r.all.Listener(l, Main))
	}()
	t.Cleanup(func() {
		stop()
		r.release()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// await waits until the handler has one more request.
func (r *room) await() {
	r.t.Helper()
	select {
	case <-r.begun:
	case <-time.After(20 * time.Second):
		r.t.Fatal("a request does not reach its handler")
	}
}

// dial connects, and sends what may be a request.
func (r *room) dial(text string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	return c
}

const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// TestListener_queue: at the limit a connection waits until another has ended or is idle; none that
// waits for its answer is closed, and no more than the limit are open.
func TestListener_queue(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	var conns []net.Conn
	for range 6 {
		conns = append(conns, r.dial(get))
	}
	for i := range conns {
		r.await()
		if i == 1 {
			r.passed.Store(int64(time.Hour))
			time.Sleep(3 * roomCheck) // they could be closed now
		}
		if i > 0 { // two have room
			r.answer <- struct{}{}
		}
		if open, limit := r.all.Open(Main); open > limit {
			t.Errorf("%d connections", open)
		}
	}
	r.answer <- struct{}{}
	for i, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if head, err := bufio.NewReader(c).ReadString('\n'); err != nil || head != "HTTP/1.1 200 OK\r\n" {
			t.Errorf("connection %d: %q, %v", i, head, err)
		}
	}
}

// TestListener_queueSlow: who sends nothing, or no whole request, keeps no others out; and the server
// ends while connections wait.
func TestListener_queueSlow(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	slow := []net.Conn{r.dial(""), r.dial("GET / HT"), r.dial("")}
	r.dial(get)
	r.dial(get)
	r.await()
	r.await()
	for _, c := range slow[:2] {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a slow connection is open: %v", err)
		}
	}
	r.dial(get) // waits until the server has ended
	r.release()
}

// TestResize: the limit can change.
func TestResize(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.dial(get)
	r.dial(get)
	r.dial(get)
	r.await()
	r.await()
	r.all.Resize(Limits{Main: 3, Monitor: 1, Queue: true})
	r.await()
	r.release()
}

// reused is a listener whose connection comes when the only idle one has got a request.
type reused struct {
	listenerOf
	idle     *conn
	accepted chan struct{}
}

func (l reused) Accept() (net.Conn, error) {
	l.idle.become(http.StateActive)
	close(l.accepted)
	return l.c, nil
}

// TestListener_queueReused: a connection for which there was room when it was accepted waits again if that
// is gone, and is not closed.
func TestListener_queueReused(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{false, true} {
		all := NewConnections(Limits{Main: 1, Monitor: 1, Queue: true}, time.Now)
		end, other := net.Pipe()
		t.Cleanup(func() { other.Close() })
		idle := &conn{Conn: end, all: all}
		idle.become(http.StateIdle)
		all.add(idle)
		client, accepted := net.Pipe()
		t.Cleanup(func() { client.Close() })
		from := reused{listenerOf{c: accepted}, idle, make(chan struct{})}
		l := all.Listener(from, Main)
		got := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			got <- err
		}()
		<-from.accepted
		select {
		case err := <-got:
			t.Fatalf("it has the place of one that is busy: %v", err)
		case <-time.After(3 * roomCheck):
		}
		if ends {
			_ = l.Close()
			if err := <-got; !errors.Is(err, net.ErrClosed) {
				t.Errorf("the listener is closed: %v", err)
			}
			continue
		}
		_ = idle.Close()
		if err := <-got; err != nil || all.Count() != 1 {
			t.Errorf("%v, %d open", err, all.Count())
		}
	}
}
