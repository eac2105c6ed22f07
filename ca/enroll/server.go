package enroll

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/enrollapi"
	"kedge/internal/est"
	"kedge/internal/httpserver"
	"kedge/internal/metrics"
)

// Config has the settings of a Server.
type Config struct {
	Service *issuance.Service // required
	Terms   *Terms            // required
	Now     func() time.Time  // required
	Log     *slog.Logger      // of decisions; nil: none

	Version string // of the program, for metrics
	// KeyMetrics writes what is measured of the keys of the CA. nil: nothing is.
	KeyMetrics func(*metrics.Page)
}

// Server is an enrollment server. It is an http.Handler; it and its methods are safe for concurrent
// use.
type Server struct {
	service *issuance.Service
	terms   atomic.Pointer[Terms]
	now     func() time.Time
	log     *slog.Logger
	limited *httpserver.RateLimited
	// refusals bounds what strangers write to the log.
	refusals refusals
	version  string
	conns    *httpserver.Connections
	watched  *httpserver.Connections // of the listener for metrics

	admission admission
	counts    counts
	contacts  contacts
	signs     keyCheck

	keyMetrics func(*metrics.Page)

	renewing    sync.Mutex // of the certificate
	certificate atomic.Pointer[certificate]
}

// The limits of connections. Hosts connect once in hours, and then for a second.
const (
	maxConnections        = 4096 // of all listeners for hosts, where Limits name none
	maxPlainConnections   = 256  // of those for lists
	maxMonitorConnections = 32   // of those for metrics
	// answerTime bounds a request with its answer: longer than the ledger waits for its lock.
	answerTime = 30 * time.Second
)

// New returns a Server. It has no certificate yet: RenewCertificate issues one.
func New(c Config) (*Server, error) {
	if c.Service == nil || c.Terms == nil || c.Now == nil {
		return nil, errors.New("an enrollment server needs a service, terms and a clock")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		service: c.Service, now: c.Now, log: c.Log, limited: httpserver.NewRateLimited(c.Log), version: c.Version,
		conns:     httpserver.NewConnections(c.Terms.Limits.connections(), c.Now),
		watched:   httpserver.NewConnections(httpserver.Limits{Main: maxMonitorConnections, Monitor: 1}, c.Now),
		admission: newAdmission(), keyMetrics: c.KeyMetrics,
	}
	s.terms.Store(c.Terms)
	return s, nil
}

// SetTerms replaces the terms. A request in progress may have used the old ones for some of its steps, and
// uses the new ones for the others. Whether a client is asked for a certificate was decided when its
// connection was made.
func (s *Server) SetTerms(t *Terms) {
	s.terms.Store(t)
	s.conns.Resize(t.Limits.connections())
}

// Serve answers hosts over TLS on the listeners until ctx ends. Then it accepts no new connections,
// and waits up to drain for the requests in progress. It closes the listeners. The error is that of
// a listener; it is nil if ctx ended.
func (s *Server) Serve(ctx context.Context, drain time.Duration, listeners ...net.Listener) error {
	server := httpserver.New(s, s.limited)
	server.WriteTimeout = answerTime
	all, config := wrapped(s.conns, httpserver.Main, listeners), s.tlsConfig()
	for i, l := range all {
		all[i] = tls.NewListener(l, config)
	}
	return httpserver.Run(ctx, drain, server, all...)
}

// ServePlain answers with Plain, without TLS, until ctx ends. It closes the listeners.
func (s *Server) ServePlain(ctx context.Context, drain time.Duration, listeners ...net.Listener) error {
	return httpserver.Run(ctx, drain, httpserver.New(s.Plain(), s.limited), wrapped(s.conns, httpserver.Monitor, listeners)...)
}

// wrapped returns listeners whose connections count in a pool.
func wrapped(conns *httpserver.Connections, pool httpserver.Pool, listeners []net.Listener) []net.Listener {
	all := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		all[i] = conns.Listener(l, pool)
	}
	return all
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	api := jsonProtocol()
	switch path := s.path(r); path {
	case enrollapi.PathEnroll:
		s.decide(ctx, w, r, endpoint{protocol: api, run: s.enroll})
	case enrollapi.PathRequest:
		s.decide(ctx, w, r, endpoint{protocol: api, run: s.request})
	case enrollapi.PathRenew:
		s.decide(ctx, w, r, endpoint{protocol: api, run: s.renew, renews: true})
	case enrollapi.PathUnenroll:
		s.decide(ctx, w, r, endpoint{protocol: api, run: s.unenroll})
	case enrollapi.PathCA:
		s.show(w, r, api, func() (any, error) { return s.describe(ctx) })
	case enrollapi.PathHealth:
		s.show(w, r, api, func() (any, error) { return struct{}{}, nil })
	case enrollapi.PathReady:
		s.show(w, r, api, func() (any, error) { return struct{}{}, s.Ready(ctx) })
	default:
		if rest, ok := strings.CutPrefix(path, est.Path+"/"); ok {
			s.serveEST(ctx, w, r, rest)
			return
		}
		s.write(w, api, nil, refuse(enrollapi.NotFound, "path", "there is no %s here", r.URL.Path))
	}
}

// path returns the path of the API. A proxy may have removed the prefix of the URL, or left it.
func (s *Server) path(r *http.Request) string {
	if prefix := s.terms.Load().Prefix; prefix != "" {
		if path, ok := strings.CutPrefix(r.URL.Path, prefix+"/"); ok {
			return "/" + path
		}
	}
	return r.URL.Path
}

// Alive returns when no lock of the server is held for long, for the watchdog of systemd.
func (s *Server) Alive(context.Context) { s.conns.Count() }
