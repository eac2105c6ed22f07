package serve

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"kedge/internal/metrics"
	"kedge/internal/refresh"
)

// reporter is a CredentialsProvider that reports its status: a *refresh.Refresher.
type reporter interface{ Status() refresh.Status }

// Monitor returns the handler for the listener of health checks and Prometheus. It tells no
// secret, and refuses requests under foreign names as the endpoints do.
//
//	/healthz  200 as long as the process answers
//	/readyz   200 when every role has credentials that have not expired, else 503; a line for each
//	/metrics  Prometheus' text format
func (s *Server) Monitor() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, status := otherEndpoint, http.StatusOK
		var text []byte
		switch {
		case !s.knowsHost(r):
			s.limited.Warn("refused on the address for metrics: "+foreignHost, "remote", r.RemoteAddr)
			refuseWith(at, r.Method, http.StatusForbidden, foreignHost).write(w)
			return
		case !isRead(r.Method):
			refuse(at, r.Method, http.StatusMethodNotAllowed).write(w)
			return
		case r.URL.Path == "/healthz":
			text = []byte("ok\n")
		case r.URL.Path == "/readyz":
			text, status = s.readiness(r.Context(), s.certificateNote)
		case r.URL.Path == "/metrics":
			answer{status: status, body: newBody(metrics.ContentType, s.metrics(r.Context()))}.write(w)
			return
		default:
			refuse(at, r.Method, http.StatusNotFound).write(w)
			return
		}
		answer{status: status, body: newBody(textType, text)}.write(w)
	})
}

// certificateNote returns what readiness adds for a role whose certificate should be renewed.
func (s *Server) certificateNote(ctx context.Context, r *role) string {
	stage, end := r.stage(ctx)
	if stage == refresh.Fresh {
		return ""
	}
	return fmt.Sprintf("; the certificate is %s: its end is %s", stage, end.UTC().Format(time.RFC3339))
}

// stage returns the stage of the role's certificate and its end, which is zero if unknown.
func (r *role) stage(ctx context.Context) (refresh.Stage, time.Time) {
	if r.Validity == nil {
		return refresh.Fresh, time.Time{}
	}
	start, end := r.Validity(ctx)
	return refresh.StageOf(start, end, r.now()), end
}

// Alive returns when reading the roles' credentials does not block, for the watchdog of systemd.
func (s *Server) Alive(ctx context.Context) {
	_, _ = s.readiness(ctx, noNote) // takes the locks that requests take: blocks at a deadlock
}

// noNote leaves certificates out: reading one can block on a file.
func noNote(context.Context, *role) string { return "" }

// readiness reports for each role whether it has valid credentials, with a note.
func (s *Server) readiness(ctx context.Context, note func(context.Context, *role) string) (text []byte, status int) {
	status = http.StatusOK
	for _, role := range s.roles.Load().roles {
		state, ok := role.Credentials.(reporter)
		if !ok {
			continue
		}
		text = append(text, role.Name+": "...)
		switch is := state.Status(); {
		case is.Valid:
			text = append(text, "valid until "+is.Expires.UTC().Format(time.RFC3339)...)
		case is.Err != nil:
			status, text = http.StatusServiceUnavailable, append(text, is.Err.Error()...)
		default:
			status, text = http.StatusServiceUnavailable, append(text, "no credentials yet"...)
		}
		text = append(append(text, note(ctx, role)...), '\n')
	}
	return text, status
}

// metrics returns the page for Prometheus.
func (s *Server) metrics(ctx context.Context) []byte {
	var p metrics.Page
	p.Family("kedge_build_info", "gauge", "The version that runs.")
	p.Sample("kedge_build_info", 1, "version", s.version, "go", runtime.Version())
	p.Family("kedge_requests_total", "counter", "Requests answered, by endpoint and HTTP status (0 is any other).")
	for at := range endpoints {
		for i, status := range countedStatuses() {
			if n := s.counts.of[at][i].Load(); n > 0 {
				p.Sample("kedge_requests_total", float64(n), "endpoint", at.String(), "code", strconv.Itoa(status))
			}
		}
	}
	p.Family("kedge_connections", "gauge", "Open connections.")
	p.Sample("kedge_connections", float64(s.conns.Count()))
	s.roleMetrics(ctx, &p)
	p.Process()
	return p.Text
}

func (s *Server) roleMetrics(ctx context.Context, p *metrics.Page) {
	roles := s.roles.Load().roles
	for _, m := range []struct {
		name, kind, help string
		value            func(refresh.Status) (float64, bool)
	}{
		{"kedge_credentials_valid", "gauge", "1 when there are credentials that have not expired.",
			func(is refresh.Status) (float64, bool) { return number(is.Valid), true }},
		{"kedge_credentials_expiration_timestamp_seconds", "gauge", "When the credentials expire.",
			func(is refresh.Status) (float64, bool) { return seconds(is.Expires) }},
		{"kedge_credentials_renewed_timestamp_seconds", "gauge", "When the credentials came.",
			func(is refresh.Status) (float64, bool) { return seconds(is.Renewed) }},
		{"kedge_credentials_renewals_total", "counter", "Renewals that succeeded.",
			func(is refresh.Status) (float64, bool) { return float64(is.Renewals), true }},
		{"kedge_credentials_failures_total", "counter", "Attempts to renew that failed.",
			func(is refresh.Status) (float64, bool) { return float64(is.Failures), true }},
	} {
		p.Family(m.name, m.kind, m.help)
		for _, role := range roles {
			if state, ok := role.Credentials.(reporter); ok {
				if value, known := m.value(state.Status()); known {
					p.Sample(m.name, value, "role", role.Name)
				}
			}
		}
	}
	certificateMetrics(ctx, p, roles)
}

func certificateMetrics(ctx context.Context, p *metrics.Page, roles []*role) {
	const end, stage = "kedge_certificate_expiration_timestamp_seconds", "kedge_certificate_stage"
	var ends, stages metrics.Page
	for _, role := range roles {
		at, until := role.stage(ctx)
		if value, known := seconds(until); known {
			ends.Sample(end, value, "role", role.Name)
			stages.Sample(stage, float64(at), "role", role.Name)
		}
	}
	p.Family(end, "gauge", "When the certificate expires.")
	p.Text = append(p.Text, ends.Text...)
	p.Family(stage, "gauge", "How far the life of the certificate has gone: 1 in its last third, 2 in its last tenth, 3 expired, else 0.")
	p.Text = append(p.Text, stages.Text...)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds returns the Unix time, and whether t is known.
func seconds(t time.Time) (float64, bool) { return float64(t.Unix()), !t.IsZero() }
