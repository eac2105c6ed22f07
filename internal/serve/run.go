package serve

import (
	"context"
	"net"
	"net/http"
	"time"

	"kedge/internal/httpserver"
)

const (
	maxConnections        = 512 // of all listeners for credentials
	maxMonitorConnections = 16  // of the listener for health and metrics
)

// Serve answers on the listeners until ctx ends. Then it accepts no new connections, and waits up
// to drain for the requests in progress. It closes the listeners.
//
// The error is that of a listener; it is nil if ctx ended.
func (s *Server) Serve(ctx context.Context, drain time.Duration, listeners ...net.Listener) error {
	server := s.newServer(s)
	for i, l := range listeners {
		listeners[i] = s.conns.Listener(l, httpserver.Main)
	}
	return httpserver.Run(ctx, drain, server, listeners...)
}

// ServeMonitor answers with Monitor until ctx ends. It closes the listener.
func (s *Server) ServeMonitor(ctx context.Context, l net.Listener) error {
	return httpserver.Run(ctx, time.Second, s.newServer(s.Monitor()), s.conns.Listener(l, httpserver.Monitor))
}

func (s *Server) newServer(h http.Handler) *http.Server {
	server := httpserver.New(h, s.limited)
	server.ConnContext = withConn
	return server
}
