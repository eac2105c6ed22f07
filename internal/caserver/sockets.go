package caserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"kedge/internal/config"
)

// The names of systemd's sockets that are not for hosts.
const (
	plainSocket   = "http" // for lists and certificates over HTTP
	metricsSocket = "metrics"
)

// sockets are what the server listens on.
type sockets struct {
	hosts   []net.Listener // with TLS
	plain   []net.Listener
	metrics []net.Listener
}

// ListenError reports an address that cannot be listened on.
type ListenError struct {
	Address string
	Err     error
}

func (e *ListenError) Error() string {
	err := e.Err
	if number, ok := errors.AsType[syscall.Errno](err); ok { // without what the system was asked
		err = number
	}
	return fmt.Sprintf("cannot listen on %s: %v", e.Address, err)
}

func (e *ListenError) Unwrap() error { return e.Err }

// CheckAddress checks an address to listen on: IP:port, or :port for all addresses of the machine.
func CheckAddress(text string) error {
	if port, ok := strings.CutPrefix(text, ":"); ok {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return fmt.Errorf("%q: the port must be between 0 and 65535 (0: a free one)", text)
		}
		return nil
	}
	if _, err := netip.ParseAddrPort(text); err != nil {
		return fmt.Errorf("%q is not an address with a port, such as 127.0.0.1:8443 or :8443", text)
	}
	return nil
}

// open takes the sockets that systemd has opened, or opens those of the configuration. After an
// error none is open.
func (c Config) open(ctx context.Context) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, socket := range c.Systemd.Sockets {
		if err := s.take(socket); err != nil {
			return s, err
		}
	}
	if s.hosts == nil {
		if s.hosts, err = listen(ctx, c.Listen); err != nil {
			return s, err
		}
	}
	if s.plain == nil {
		if s.plain, err = listen(ctx, c.Plain); err != nil {
			return s, err
		}
	}
	if s.metrics == nil {
		s.metrics, err = listen(ctx, c.Metrics)
	}
	return s, err
}

// listen opens sockets. After an error those that were opened are returned as well.
func listen(ctx context.Context, addresses []string) (all []net.Listener, err error) {
	for _, text := range addresses {
		network := "tcp"
		if address, err := netip.ParseAddrPort(text); err == nil && address.Addr().Is4() {
			network = "tcp4"
		}
		l, err := new(net.ListenConfig).Listen(ctx, network, text)
		if err != nil {
			return all, &ListenError{text, err}
		}
		all = append(all, l)
	}
	return all, nil
}

func (s *sockets) take(socket config.Socket) error {
	l, err := net.FileListener(socket.File) // a copy of the descriptor
	if closeErr := socket.File.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("socket %q of systemd: %w", socket.Name, err)
	}
	switch socket.Name {
	case plainSocket:
		s.plain = append(s.plain, l)
	case metricsSocket:
		s.metrics = append(s.metrics, l)
	default:
		s.hosts = append(s.hosts, l)
	}
	return nil
}

func (s *sockets) close() {
	for _, l := range slices.Concat(s.hosts, s.plain, s.metrics) {
		_ = l.Close()
	}
}

func addresses(listeners []net.Listener) []string {
	var all []string
	for _, l := range listeners {
		all = append(all, l.Addr().String())
	}
	return all
}
