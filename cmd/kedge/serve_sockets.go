package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"kedge/internal/config"
)

// sockets are what serve listens on.
type sockets struct {
	endpoint []net.Listener
	monitor  net.Listener // nil for none
}

// monitorSocket is the name of systemd's socket for health and metrics.
const monitorSocket = "metrics"

// openSockets takes the sockets that systemd has opened, or opens those of the flags. After an error none
// is open.
func (o *serveOptions) openSockets(ctx context.Context, given []config.Socket) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for _, socket := range given {
		if err := s.take(socket); err != nil {
			return s, err
		}
	}
	for _, l := range s.endpoint {
		o.warnIfOpen(l, "address")
	}
	if s.endpoint == nil {
		if err := o.openEndpoint(ctx, &s); err != nil {
			return s, err
		}
	}
	if s.monitor != nil {
		o.warnIfOpen(s.monitor, "metrics-address")
		return s, nil
	}
	if o.monitorAddress == "" {
		return s, nil
	}
	address, err := netip.ParseAddrPort(o.monitorAddress)
	if err == nil {
		s.monitor, err = o.listen(ctx, "metrics-address", address)
	}
	return s, err
}

// openEndpoint opens every address; a free port that was found for the first serves all of them.
func (o *serveOptions) openEndpoint(ctx context.Context, s *sockets) error {
	port := uint16(o.port)
	for _, text := range o.addresses {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return err
		}
		l, err := o.listen(ctx, "port", netip.AddrPortFrom(address, port))
		if err != nil {
			return err
		}
		s.endpoint = append(s.endpoint, l)
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			port = tcp.AddrPort().Port()
		}
	}
	return nil
}

func (s *sockets) take(socket config.Socket) error {
	l, err := net.FileListener(socket.File) // a copy of the descriptor
	if closeErr := socket.File.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("socket %q of systemd: %w", socket.Name, err)
	}
	if socket.Name == monitorSocket {
		if s.monitor != nil {
			_ = l.Close()
			return fmt.Errorf("two sockets of systemd have the name %q", monitorSocket)
		}
		s.monitor = l
	} else {
		s.endpoint = append(s.endpoint, l)
	}
	return nil
}

func (s *sockets) close() {
	for _, l := range s.endpoint {
		_ = l.Close()
	}
	if s.monitor != nil {
		_ = s.monitor.Close()
	}
}

// url is where clients on this machine find the endpoint; empty where no SDK could.
func (s *sockets) url() string {
	for _, l := range s.endpoint {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			ip := tcp.IP
			switch {
			case ip.IsUnspecified() && ip.To4() == nil:
				ip = net.IPv6loopback
			case ip.IsUnspecified():
				ip = net.IPv4(127, 0, 0, 1)
			}
			return "http://" + net.JoinHostPort(ip.String(), portOf(l)) + "/"
		}
	}
	return ""
}

func (s *sockets) addresses() []string {
	var all []string
	for _, l := range s.endpoint {
		all = append(all, l.Addr().String())
	}
	return all
}

func portOf(l net.Listener) string {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		return strconv.Itoa(tcp.Port)
	}
	return "unix"
}
