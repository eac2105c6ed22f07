package httpserver

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestBudgets: all connections together take at most half of the descriptors, as far as there is one
// for each pool; and one pool does not shrink with the limit of the other.
func TestBudgets(t *testing.T) {
	t.Parallel()
	for of, wanted := range map[[pools]int]map[uint64][pools]int{
		{512, 16}: {2: {1, 1}, 4: {1, 1}, 20: {8, 2}, 64: {24, 8}, 256: {112, 16}, 1024: {496, 16}, 1056: {512, 16}, 4096: {512, 16}, math.MaxUint64: {512, 16}},
		{64, 256}: {4: {1, 1}, 64: {24, 8}, 256: {64, 64}, 640: {64, 256}, math.MaxUint64: {64, 256}},
		{1, 256}:  {1024: {1, 256}},
	} {
		for descriptors, want := range wanted {
			got := Limits{Main: of[Main], Monitor: of[Monitor], Descriptors: descriptors}.budgets()
			if got != want {
				t.Errorf("%v of %d: %v, want %v", of, descriptors, got, want)
			}
			if all := got[Main] + got[Monitor]; descriptors >= 4 && uint64(all) > descriptors/2 {
				t.Errorf("%v of %d: %d connections", of, descriptors, all)
			}
		}
	}
}

// exhausted is a listener without descriptors as long as more than a number of connections are open.
type exhausted struct {
	net.Listener
	all  *Connections
	most int
	err  error
}

func (l exhausted) Accept() (net.Conn, error) {
	if l.all.Count() > l.most {
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
		clock := now
		all := &Connections{limits: [pools]int{10, 10}, now: func() time.Time { return clock }}
		add := func(p Pool, state http.ConnState, age time.Duration) *conn {
			a, b := net.Pipe()
			t.Cleanup(func() { b.Close() })
			c := &conn{Conn: a, all: all, pool: p}
			clock = now.Add(-age)
			c.become(state)
			clock = now
			all.add(c)
			return c
		}
		busy := add(Main, http.StateActive, time.Millisecond)
		young := add(Main, http.StateIdle, time.Minute)
		old := add(Monitor, http.StateIdle, time.Hour)
		l := all.Listener(exhausted{all: all, most: 2, err: errno}, Main)
		if _, err := l.Accept(); err != nil {
			t.Fatalf("%v: %v", errno, err)
		}
		for c, want := range map[*conn]bool{busy: true, young: true, old: false} {
			if got := isOpen(c); got != want {
				t.Errorf("%v: the one of state %v: open %v, want %v", errno, http.ConnState(c.state.Load()), got, want)
			}
		}
		only := &Connections{limits: [pools]int{10, 10}, now: all.now}
		all = only
		add(Main, http.StateActive, 0)
		l = only.Listener(exhausted{all: only, most: 0, err: errno}, Main)
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

// TestListener_unread: where others cannot wait, a connection whose goroutine has not come to read yet
// makes room as one that is silent.
func TestListener_unread(t *testing.T) {
	t.Parallel()
	all := NewConnections(Limits{Main: 1, Monitor: 1}, time.Now)
	l := all.Listener(exhausted{all: all, most: 2}, Main)
	var accepted [3]net.Conn
	for i := range accepted {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		accepted[i] = c
	}
	if isOpen(accepted[1].(*conn)) || !isOpen(accepted[2].(*conn)) {
		t.Error("the last one has not taken the place of the one before")
	}
}
