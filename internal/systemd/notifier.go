// Package systemd tells systemd how a service is doing. What systemd tells the service is in
// [kedge/internal/config.Service].
package systemd

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Notifier reports the state of the service to systemd (sd_notify(3)). The zero Notifier does
// nothing.
type Notifier struct {
	Socket string // $NOTIFY_SOCKET: a path, or a name that begins with "@"
}

// Ready reports that the service has started, or has loaded its new configuration.
func (n Notifier) Ready(status string) error { return n.send("READY=1", "STATUS="+status) }

// Reloading reports that a reload begins; Ready must follow it.
func (n Notifier) Reloading() error {
	return n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
}

// Stopping reports that the service ends.
func (n Notifier) Stopping() error { return n.send("STOPPING=1") }

// Watch feeds the watchdog, twice in interval, until ctx ends, as long as alive returns: it blocks
// when the service does. Without an interval Watch returns at once. An error goes to warn, and the
// next message is sent in time nevertheless: systemd may be reloading itself.
func (n Notifier) Watch(ctx context.Context, interval time.Duration, alive func(context.Context), warn func(message string, args ...any)) {
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		alive(ctx)
		if err := n.send("WATCHDOG=1"); err != nil {
			warn("the watchdog of systemd is not told", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// sendTimeout bounds the wait for room in the receiver's queue.
const sendTimeout = time.Second

func (n Notifier) send(lines ...string) error {
	if n.Socket == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.Socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\n", " ")
	}
	if _, err := c.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	return nil
}
