package enroll

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"kedge/internal/httpserver"
	"kedge/internal/metrics"
)

// Monitor returns the handler for the listener of health checks and Prometheus. It tells no secret.
//
//	/healthz  200 as long as the process answers
//	/readyz   200 if the server can issue, see Ready, else 503 with the reason
//	/metrics  Prometheus' text format
func (s *Server) Monitor() http.Handler {
	return onlyRead(func(ctx context.Context, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		switch r.URL.Path {
		case "/healthz":
			_, _ = fmt.Fprintln(w, "ok")
		case "/readyz":
			text := "ready"
			if err := s.Ready(ctx); err != nil {
				text = err.Error()
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = fmt.Fprintln(w, text)
		case "/metrics":
			w.Header().Set("Content-Type", metrics.ContentType)
			_, _ = w.Write(s.metrics(ctx))
		default:
			http.Error(w, "there are /healthz, /readyz and /metrics here", http.StatusNotFound)
		}
	})
}

// ServeMonitor answers with Monitor, without TLS, until ctx ends. It closes the listeners.
func (s *Server) ServeMonitor(ctx context.Context, drain time.Duration, listeners ...net.Listener) error {
	return httpserver.Run(ctx, drain, httpserver.New(s.Monitor(), s.limited), wrapped(s.watched, httpserver.Main, listeners)...)
}

// metrics returns the page for Prometheus.
func (s *Server) metrics(ctx context.Context) []byte {
	var p metrics.Page
	p.Family("kedge_ca_build_info", "gauge", "The version that runs.")
	p.Sample("kedge_ca_build_info", 1, "version", s.version, "go", runtime.Version())
	s.counts.write(&p)
	p.Family("kedge_ca_requests_in_progress", "gauge", "Requests that are checked, signed and recorded.")
	p.Sample("kedge_ca_requests_in_progress", float64(s.admission.gate.count()))
	p.Family("kedge_ca_busy", "gauge", "1 while hosts are told to renew at times that are further apart.")
	p.Sample("kedge_ca_busy", number(s.isBusy()))
	p.Family("kedge_ca_connections", "gauge", "Open connections of hosts and for lists.")
	p.Sample("kedge_ca_connections", float64(s.conns.Count()))
	p.Family("kedge_ca_ready", "gauge", "1 if the server can issue.")
	p.Sample("kedge_ca_ready", number(s.Ready(ctx) == nil))
	if c := s.certificate.Load(); c != nil {
		p.Family("kedge_ca_server_certificate_expiration_timestamp_seconds", "gauge", "When the certificate of the server expires.")
		p.Sample("kedge_ca_server_certificate_expiration_timestamp_seconds", float64(c.leaf.NotAfter.Unix()))
	}
	s.ledgerMetrics(ctx, &p)
	if s.keyMetrics != nil {
		s.keyMetrics(&p)
	}
	p.Process()
	return p.Text
}

// ledgerMetrics writes what every server of a CA tells alike. It leaves out what cannot be read.
func (s *Server) ledgerMetrics(ctx context.Context, p *metrics.Page) {
	overview, err := s.service.Overview(ctx)
	if err != nil {
		s.limited.Warn("metrics lack what the ledger has", "error", err.Error())
		return
	}
	for _, m := range []struct {
		name, help string
		value      func(i int) time.Time
	}{
		{"kedge_ca_authority_expiration_timestamp_seconds", "When the certificate of an authority expires.", func(i int) time.Time { return overview.Authorities[i].NotAfter }},
		{"kedge_ca_list_next_update_timestamp_seconds", "When the last revocation list of an authority ends.", func(i int) time.Time { return overview.Authorities[i].ListEnd }},
		{"kedge_ca_list_this_update_timestamp_seconds", "Of when the last revocation list of an authority is.", func(i int) time.Time { return overview.Authorities[i].ListBegin }},
	} {
		p.Family(m.name, "gauge", m.help)
		for i, a := range overview.Authorities {
			if at := m.value(i); !at.IsZero() {
				p.Sample(m.name, float64(at.Unix()), "authority", a.Name)
			}
		}
	}
	p.Family("kedge_ca_clones", "gauge", "Renewals by a second key of a host, of hosts that still hold their name.")
	p.Sample("kedge_ca_clones", float64(overview.Clones))
	p.Family("kedge_ca_hosts_late", "gauge", "Hosts that should have renewed their certificate.")
	p.Sample("kedge_ca_hosts_late", float64(overview.Late), "state", "overdue")
	p.Sample("kedge_ca_hosts_late", float64(overview.Expired), "state", "expired")
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Ready returns nil if the server can issue: the ledger answers, the key of the CA signs, the server
// has a certificate, and no revocation list that is made here has ended.
func (s *Server) Ready(ctx context.Context) error {
	stale, err := s.service.StaleLists(ctx)
	if err != nil {
		return err
	}
	if err := s.checkKey(ctx); err != nil {
		return err
	}
	if c := s.certificate.Load(); c == nil || !s.now().Before(c.leaf.NotAfter) {
		return errors.New("the server has no certificate")
	}
	if len(stale) > 0 {
		return fmt.Errorf("the revocation list of %s has ended", strings.Join(stale, ", "))
	}
	return nil
}
