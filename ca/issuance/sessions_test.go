package issuance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// TestSessions_need: AWS's own limit of 10 calls a second is enough for 36,000 hosts whose sessions
// last an hour.
func TestSessions_need(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		q     Sessions
		hosts int64
		want  string // a part; empty: nothing to do
	}{
		{Sessions{time.Hour, 10, 0}, 0, ""},
		{Sessions{time.Hour, 10, 0}, 36_000, ""},
		{Sessions{time.Hour, 10, 0}, 36_001, "36001 hosts with sessions of 1h make at least 10 calls"},
		{Sessions{time.Hour, 10, 0}, 1_000_000, "277.8 calls of CreateSession a second; the quota (server.aws.create_session_quota) is 10/s, enough for 36000 hosts"},
		{Sessions{12 * time.Hour, 10, 0}, 432_000, ""},
		{Sessions{15 * time.Minute, 0.5, 0}, 451, "is 0.5/s, enough for 450 hosts"},
		{Sessions{15 * time.Minute, 1.0 / 3600, time.Hour}, 1, "1 host with sessions of 15m make at least 4 calls of CreateSession an hour; the quota (server.aws.create_session_quota) is 1/h, enough for 0 hosts"},
		{Sessions{time.Hour, 1.0 / 3600, time.Hour}, 40, "40 calls of CreateSession an hour; the quota (server.aws.create_session_quota) is 1/h, enough for 1 host:"},
		{Sessions{time.Hour, 1, time.Minute}, 3601, "60.02 calls of CreateSession a minute; the quota (server.aws.create_session_quota) is 60/m"},
	} {
		if got := tt.q.need(tt.hosts); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v, %d hosts: %q, want %q", tt.q, tt.hosts, got, tt.want)
		}
	}
}

// TestStatus_sessions: the hosts that count are those whose newest certificate is valid, and without
// a quota nothing is said.
func TestStatus_sessions(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	x.leaf("web-02", 20*time.Hour)
	x.leaf("web-03", 20*time.Hour)
	x.leaf("web-03", 20*time.Hour)
	x.leaf("web-04", 20*time.Hour)
	about := func() string {
		t.Helper()
		needs := x.status().Needs
		i := slices.IndexFunc(needs, func(n string) bool { return strings.Contains(n, "CreateSession") })
		if i < 0 {
			return ""
		}
		return needs[i]
	}
	if got := about(); got != "" {
		t.Errorf("without a quota: %q", got)
	}
	x.sessions = Sessions{Duration: time.Hour, Quota: 3.0 / 3600}
	if got := about(); !strings.HasPrefix(got, "4 hosts with sessions of 1h ") {
		t.Errorf("four hosts: %q", got)
	}
	x.now = x.now.Add(2 * time.Hour) // the certificate of web-01 has expired
	if got := about(); got != "" {
		t.Errorf("three hosts: %q", got)
	}
	x.sessions.Quota = 2.0 / 3600
	x.revoke(ca.KeyCompromise, "web-04")
	if got := about(); got != "" {
		t.Errorf("two hosts: %q", got)
	}
}
