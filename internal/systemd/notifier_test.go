package systemd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// newNotifier makes one, and the socket of the one it tells.
func newNotifier(t *testing.T) (Notifier, *net.UnixConn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Skip(err)
	}
	return Notifier{Socket: path}, socket
}

// TestNotifier: the messages to systemd.
func TestNotifier(t *testing.T) {
	t.Parallel()
	n, socket := newNotifier(t)
	defer socket.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := 0
	alive := func(context.Context) { asked++ }
	for _, tt := range []struct {
		tell func() error
		want string
	}{
		{func() error { return n.Ready("2 roles,\nall well") }, "^READY=1\nSTATUS=2 roles, all well$"},
		{n.Reloading, "^RELOADING=1\nMONOTONIC_USEC=[0-9]+$"},
		{n.Stopping, "^STOPPING=1$"},
		{func() error { n.Watch(ctx, time.Hour, alive, nil); return nil }, "^WATCHDOG=1$"},
	} {
		if err := tt.tell(); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 1000)
		size, err := socket.Read(buffer)
		if err != nil || !regexp.MustCompile(tt.want).Match(buffer[:size]) {
			t.Errorf("%q, %v, want %s", buffer[:size], err, tt.want)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times whether it is alive", asked)
	}
	if err := (Notifier{}).Ready(""); err != nil {
		t.Errorf("without systemd: %v", err)
	}
	if err := os.Remove(n.Socket); err != nil {
		t.Fatal(err)
	}
	if err := n.Stopping(); err == nil {
		t.Error("a socket that is gone")
	}
}

// TestNotifier_deaf: a receiver that does not read delays nothing, and the watchdog messages
// continue.
func TestNotifier_deaf(t *testing.T) {
	t.Parallel()
	n, socket := newNotifier(t)
	defer socket.Close()
	var err error
	for i := 0; err == nil; i++ {
		if i == 10_000 {
			t.Skip("the system keeps as much as it gets")
		}
		err = n.Ready("")
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	warned := make(chan string, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Watch(ctx, time.Millisecond, func(context.Context) {}, func(message string, _ ...any) {
			select {
			case warned <- message:
			default:
			}
		})
	}()
	<-warned
	for buffer := make([]byte, 1000); ; {
		size, err := socket.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if string(buffer[:size]) == "WATCHDOG=1" {
			break
		}
	}
	cancel()
	go func() { _, _ = io.Copy(io.Discard, socket) }() // the last one may be waiting
	<-ended
}
