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
	"kedge/internal/httpserver"
)

// Config has the settings of a Server.
type Config struct {
	Service *issuance.Service // required
	Terms   *Terms            // required
	Now     func() time.Time  // required
	Log     *slog.Logger      // of decisions; nil: none

	// List returns the last CRL of an authority, in DER; an error that wraps fs.ErrNotExist if there
	// is none. nil: there are none.
	List func(authority string) ([]byte, error)
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
	list     func(authority string) ([]byte, error)
	conns    *httpserver.Connections

	renewing    sync.Mutex // of the certificate
	certificate atomic.Pointer[certificate]
}

// The limits of connections. Hosts connect once in hours, and then for a second.
const (
	maxConnections      = 4096 // of all listeners for hosts
	maxPlainConnections = 256  // of those for lists
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
		service: c.Service, now: c.Now, log: c.Log, limited: httpserver.NewRateLimited(c.Log), list: c.List,
		conns: httpserver.NewConnections(httpserver.Limits{Main: maxConnections, Monitor: maxPlainConnections}, c.Now),
	}
	s.terms.Store(c.Terms)
	return s, nil
}

// SetTerms replaces the terms. Requests in progress use the old ones.
func (s *Server) SetTerms(t *Terms) { s.terms.Store(t) }

// Serve answers hosts over TLS on the listeners until ctx ends. Then it accepts no new connections,
// and waits up to drain for the requests in progress. It closes the listeners. The error is that of
// a listener; it is nil if ctx ended.
func (s *Server) Serve(ctx context.Context, drain time.Duration, listeners ...net.Listener) error {
	server := httpserver.New(s, s.limited)
	server.WriteTimeout = answerTime
	counted, config := s.counted(httpserver.Main, listeners), s.tlsConfig()
	for i, l := range counted {
		counted[i] = tls.NewListener(l, config)
	}
	return httpserver.Run(ctx, drain, server, counted...)
}

// ServePlain answers with Plain, without TLS, until ctx ends. It closes the listeners.
func (s *Server) ServePlain(ctx context.Context, drain time.Duration, listeners ...net.Listener) error {
	return httpserver.Run(ctx, drain, httpserver.New(s.Plain(), s.limited), s.counted(httpserver.Monitor, listeners)...)
}

func (s *Server) counted(pool httpserver.Pool, listeners []net.Listener) []net.Listener {
	counted := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		counted[i] = s.conns.Listener(l, pool)
	}
	return counted
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	switch path := s.path(r); path {
	case enrollapi.PathEnroll:
		s.decide(ctx, w, r, s.enroll)
	case enrollapi.PathRequest:
		s.decide(ctx, w, r, s.request)
	case enrollapi.PathRenew:
		s.decide(ctx, w, r, s.renew)
	case enrollapi.PathUnenroll:
		s.decide(ctx, w, r, s.unenroll)
	case enrollapi.PathCA:
		s.show(w, r, func() (any, error) { return s.describe(ctx) })
	case enrollapi.PathHealth:
		s.show(w, r, func() (any, error) { return struct{}{}, nil })
	case enrollapi.PathReady:
		s.show(w, r, func() (any, error) { return struct{}{}, s.Ready(ctx) })
	default:
		s.write(w, nil, refuse(enrollapi.NotFound, "path", "there is no %s here", r.URL.Path))
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

// Ready returns nil if the server can issue: the ledger answers, the key of the CA is open, and the
// server has a certificate.
func (s *Server) Ready(ctx context.Context) error {
	if _, err := s.service.Issuer(ctx, s.terms.Load().Issuer); err != nil {
		return err
	}
	if c := s.certificate.Load(); c == nil || !s.now().Before(c.leaf.NotAfter) {
		return errors.New("the server has no certificate")
	}
	return nil
}
