package serve

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// Notifier tells systemd how the service does (sd_notify(3)). The zero Notifier tells nobody.
type Notifier struct {
	Socket string // $NOTIFY_SOCKET: a path, or a name that begins with "@"
}

// Ready says that the service has started, or has taken its new configuration.
func (n Notifier) Ready(status string) error { return n.tell("READY=1", "STATUS="+status) }

// Reloading says that a reload begins; Ready follows it.
func (n Notifier) Reloading() error {
	return n.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
}

// Stopping says that the service ends.
func (n Notifier) Stopping() error { return n.tell("STOPPING=1") }

// Watch tells the watchdog, twice in interval, that the service is alive, until ctx ends: as long
// as it still finds its way to the credentials. It returns at once without an interval. What cannot
// be told is logged by s and told again in time: systemd may be just reloading itself.
func (n Notifier) Watch(ctx context.Context, interval time.Duration, s *Server) {
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		_, _ = s.readiness(ctx, noNote) // takes what requests take; a deadlock ends here
		if err := n.tell("WATCHDOG=1"); err != nil {
			s.limited.warn("the watchdog of systemd is not told", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// tellTime is how long the receiver may take to make room for a message.
const tellTime = time.Second

func (n Notifier) tell(lines ...string) error {
	if n.Socket == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.Socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now().Add(tellTime)); err != nil {
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
