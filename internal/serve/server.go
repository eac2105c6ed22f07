package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/httpserver"
)

// Role is a role whose credentials are served.
type Role struct {
	Name   string // in paths; letters, digits and _+=,.@-, at most 64
	ARN    string // of the role; empty if it is not known
	Region string // the value of placement/region

	// Credentials answers from memory, but for the first time; then a request waits up to five
	// seconds for it. It must be safe for concurrent use. Health and metrics need a
	// *refresh.Refresher.
	Credentials aws.CredentialsProvider

	// Validity returns that of the certificate, for readiness and metrics. It may be nil, or return
	// zero times.
	Validity func(context.Context) (notBefore, notAfter time.Time)
}

// Config has the settings of a Server.
type Config struct {
	Roles         []Role   // the first is the one that IMDS lists
	Authorization string   // the Authorization header of container endpoint requests; empty: no such endpoint
	NoMetadata    bool     // disables IMDS
	Hosts         []string // names in Host headers, besides localhost
	HopLimit      int      // of packets with an IMDS token, 1 to 64; 0 leaves the system's
	Version       string   // reported in the metrics
	Descriptors   uint64   // that the process may open; 0: the system's limit
	Log           *slog.Logger
	Now           func() time.Time // with a monotonic clock reading
}

// Server serves both endpoints. It is an http.Handler; it and its methods are safe for concurrent
// use.
type Server struct {
	roles         atomic.Pointer[table]
	authorization []byte
	metadata      bool
	hosts         map[string]bool
	hopLimit      int
	tokens        *tokens
	counts        counts
	conns         *httpserver.Connections
	version       string
	limited       *httpserver.RateLimited
	now           func() time.Time
}

// New checks cfg and returns a Server.
func New(cfg Config) (*Server, error) {
	if cfg.HopLimit < 0 || cfg.HopLimit > maxHopLimit {
		return nil, fmt.Errorf("the hop limit must be 1 to %d, not %d", maxHopLimit, cfg.HopLimit)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		conns:         httpserver.NewConnections(httpserver.Limits{Main: maxConnections, Monitor: maxMonitorConnections, Descriptors: cfg.Descriptors}, cfg.Now),
		authorization: []byte(cfg.Authorization), metadata: !cfg.NoMetadata, hosts: map[string]bool{"localhost": true},
		hopLimit: cfg.HopLimit, tokens: newTokens(cfg.Now), version: cfg.Version, limited: httpserver.NewRateLimited(cfg.Log), now: cfg.Now,
	}
	for _, host := range cfg.Hosts {
		s.hosts[strings.ToLower(strings.TrimSuffix(host, "."))] = true
	}
	return s, s.SetRoles(cfg.Roles)
}

// SetRoles replaces all roles atomically. Requests in progress use the old ones.
func (s *Server) SetRoles(roles []Role) error {
	t, err := newTable(roles, s.now)
	if err != nil {
		return err
	}
	s.roles.Store(t)
	return nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r)
	if a.token != "" {
		if err := s.limitHops(r); err != nil {
			a = refuse(a.endpoint, r.Method, http.StatusInternalServerError)
			a.why = "no token: " + err.Error()
		}
	}
	if a.token != "" {
		w.Header()[ttlHeader] = []string{a.ttl}
	}
	a.write(w)
	s.counts.add(a.endpoint, a.status)
	if a.why != "" {
		s.limited.Warn(a.why, "remote", r.RemoteAddr, "status", a.status)
	}
}

// answer computes the answer to a request and writes nothing.
func (s *Server) answer(r *http.Request) answer {
	r = withOneSlash(r)
	at := endpointOf(r.URL.Path)
	if refusal := s.guard(r); refusal != nil {
		return refusal.answer(at, r.Method)
	}
	switch {
	case at == containerEndpoint:
		return s.container(r)
	case at == otherEndpoint || !s.metadata:
		return refuse(at, r.Method, http.StatusNotFound)
	}
	return s.imds(r)
}

func checkRole(r Role) error {
	if err := CheckName(r.Name); err != nil {
		return err
	}
	if r.Credentials == nil {
		return errors.New("role " + r.Name + " has no credentials")
	}
	return nil
}

// CheckName refuses a role name that cannot be part of a path.
func CheckName(name string) error {
	if name == "" || len(name) > 64 || name == "." || name == ".." || strings.ContainsFunc(name, outsideName) {
		return fmt.Errorf("role name %q: it must be 1 to 64 letters, digits and _+=,.@-", name)
	}
	return nil
}

// outsideName is the complement of the alphabet of role names, [\w+=,.@-] (IAM User Guide, "IAM
// and AWS STS quotas").
func outsideName(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_+=,.@-", r)
}
