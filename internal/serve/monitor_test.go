package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/refresh"
)

// reported is a CredentialsProvider with a status.
type reported struct{ is refresh.Status }

func (reported) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("not asked for")
}
func (r reported) Status() refresh.Status { return r.is }

// page of a monitor that has these roles.
func monitor(t *testing.T, path string, roles ...Role) (int, string) {
	t.Helper()
	s, err := New(Config{Roles: roles, Version: `1.0 "x"`})
	if err != nil {
		t.Fatal(err)
	}
	s.counts.add(metadataEndpoint, 200)
	s.counts.add(metadataEndpoint, 200)
	s.counts.add(tokenEndpoint, 418)
	w := httptest.NewRecorder()
	s.Monitor().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
	return w.Code, w.Body.String()
}

func TestMonitor_readiness(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	good := Role{Name: "good", Credentials: reported{refresh.Status{Valid: true, Expires: end, Err: errors.New("trouble with the next")}}}
	cold := Role{Name: "cold", Credentials: reported{}}
	bad := Role{Name: "bad", Credentials: reported{refresh.Status{Expires: end, Err: errors.New("AccessDenied")}}}
	for _, tt := range []struct {
		roles  []Role
		status int
		text   string
	}{
		{[]Role{good}, 200, "good: valid until 2026-11-22T01:02:03Z\n"},
		{[]Role{good, cold}, 503, "good: valid until 2026-11-22T01:02:03Z\ncold: no credentials yet\n"},
		{[]Role{bad}, 503, "bad: AccessDenied\n"},
		{[]Role{{Name: "static", Credentials: &source{}}}, 200, ""},
	} {
		if status, text := monitor(t, "/readyz", tt.roles...); status != tt.status || text != tt.text {
			t.Errorf("%d %q, want %d %q", status, text, tt.status, tt.text)
		}
	}
	if status, text := monitor(t, "/healthz", bad); status != 200 || text != "ok\n" {
		t.Errorf("health: %d %q", status, text)
	}
	if status, _ := monitor(t, "/latest/meta-data/", good); status != 404 {
		t.Errorf("metadata on the monitor: %d", status)
	}
}

// TestMonitor_certificate: a certificate to be renewed shows in readiness and metrics, and does not make a
// role unready whose credentials hold.
func TestMonitor_certificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, tt := range []struct {
		left  time.Duration // of 30 hours
		note  string
		stage string
	}{
		{29 * time.Hour, "", "0"}, {11 * time.Hour, "", "0"}, {9 * time.Hour, "in its last third", "1"}, {4 * time.Hour, "in its last third", "1"},
		{2 * time.Hour, "in its last tenth", "2"}, {time.Minute, "in its last tenth", "2"}, {-time.Minute, "expired", "3"},
	} {
		end := now.Add(tt.left)
		role := Role{Name: "app", Credentials: reported{refresh.Status{Valid: true, Expires: now}}, Validity: func(context.Context) (time.Time, time.Time) { return end.Add(-30 * time.Hour), end }}
		want := "app: valid until " + now.UTC().Format(time.RFC3339)
		if tt.note != "" {
			want += "; the certificate is " + tt.note + ": its end is " + end.UTC().Format(time.RFC3339)
		}
		if status, text := monitor(t, "/readyz", role); status != 200 || text != want+"\n" {
			t.Errorf("%s left: %d %q, want %q", tt.left, status, text, want)
		}
		if _, text := monitor(t, "/metrics", role); !strings.Contains(text, "kedge_certificate_stage{role=\"app\"} "+tt.stage+"\n") {
			t.Errorf("%s left: stage not %s", tt.left, tt.stage)
		}
	}
}

func TestMonitor_metrics(t *testing.T) {
	t.Parallel()
	end := time.Unix(1800000000, 0)
	status, text := monitor(t, "/metrics",
		Role{Name: "app", Validity: func(context.Context) (time.Time, time.Time) { return time.Now(), end }, Credentials: reported{refresh.Status{Valid: true, Expires: end, Renewals: 7, Failures: 2}}},
		Role{Name: "cold", Validity: func(context.Context) (start, end time.Time) { return }, Credentials: reported{}})
	if status != 200 {
		t.Errorf("status %d", status)
	}
	for _, line := range []string{
		`kedge_requests_total{endpoint="metadata",code="200"} 2`,
		`kedge_requests_total{endpoint="token",code="0"} 1`,
		`kedge_connections 0`,
		`kedge_credentials_valid{role="app"} 1`,
		`kedge_credentials_valid{role="cold"} 0`,
		`kedge_credentials_expiration_timestamp_seconds{role="app"} 1800000000`,
		`kedge_credentials_renewals_total{role="app"} 7`,
		`kedge_credentials_failures_total{role="app"} 2`,
		`kedge_certificate_expiration_timestamp_seconds{role="app"} 1800000000`,
		`kedge_certificate_stage{role="app"} 0`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	if !strings.Contains(text, `kedge_build_info{version="1.0 \"x\"",go="`) || strings.Contains(text, `timestamp_seconds{role="cold"}`) {
		t.Errorf("page:\n%s", text)
	}
	form := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+({[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*})? [0-9.]+)$`)
	for line := range strings.Lines(text) {
		if !form.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("not in Prometheus' format: %q", line)
		}
	}
}

// TestServeMonitor: it is on a listener of its own, which ends with its context.
func TestServeMonitor(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Roles: []Role{{Name: "app", Credentials: reported{}}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.ServeMonitor(ctx, l) }()
	response, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "ok\n" {
		t.Errorf("%q, %v", body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
