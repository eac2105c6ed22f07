package session_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/emulator"
	"kedge/signer"
	"kedge/signer/session"
)

const (
	middle = "arn:aws:iam::444455556666:role/hub"
	last   = "arn:aws:iam::777788889999:role/deep/path/backup"
)

// chained makes a session at the end of a chain.
func (s *service) chained(t *testing.T, cfg session.ChainConfig, change func(*session.Config)) (*session.Session, error) {
	t.Helper()
	base := session.Config{
		TrustAnchorARN: s.TrustAnchorARN(), ProfileARN: s.ProfileARN(), RoleARN: s.RoleARN(),
		Endpoint: s.URL, RoleSessionName: "web-1", Now: time.Now, MaxAttempts: 1,
	}
	if change != nil {
		change(&base)
	}
	cfg.Endpoint = s.URL
	chain := must(session.NewChain(must(session.New(base)), cfg))
	cert, key := s.pair("web-1")
	return chain.CreateSession(t.Context(), must(signer.NewIdentity(key, []*x509.Certificate{cert}, time.Now())))
}

// TestChain: two roles of other accounts, one after the other, against the emulator's STS, which
// verifies the signatures and the trust policies.
func TestChain(t *testing.T) {
	t.Parallel()
	s := startEmulator()
	defer s.Close()
	for _, role := range []emulator.Role{{ARN: middle, ExternalID: "2f1c"}, {ARN: last}} {
		if err := s.PutRole(role); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.chained(t, session.ChainConfig{Roles: []session.AssumeConfig{
		{RoleARN: middle, ExternalID: "2f1c", Duration: 15 * time.Minute, Tags: []session.Tag{{Key: "team", Value: "storage", Transitive: true}}},
		{
			RoleARN: last, SessionName: "nightly", Duration: 30 * time.Minute, Tags: []session.Tag{{Key: "Stage", Value: "häuser 1"}},
			Policy: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}`, PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		},
	}}, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	left := time.Until(got.Expiration)
	if got.AssumedRoleARN != "arn:aws:sts::777788889999:assumed-role/backup/nightly" || got.RoleARN != last || got.AccountID != "777788889999" ||
		got.SourceIdentity != "CN=web-1" || got.SubjectARN == "" || left > 30*time.Minute || left < 29*time.Minute {
		t.Errorf("%+v, source identity %q, %s left", got, got.SourceIdentity, left)
	}
	sessions := s.Sessions()
	i := slices.IndexFunc(sessions, func(e emulator.Session) bool { return e.AccessKeyID == got.AccessKeyID })
	if tags := sessions[i].Tags; len(tags) != 2 || tags["team"] != "storage" || tags["Stage"] != "häuser 1" || !slices.Equal(sessions[i].TransitiveTags, []string{"team"}) {
		t.Errorf("%+v", sessions[i])
	}
	i = slices.IndexFunc(sessions, func(e emulator.Session) bool { return e.RoleARN == middle })
	if !strings.HasSuffix(sessions[i].AssumedRoleARN, "/web-1") {
		t.Errorf("the session between is not named as the first: %s", sessions[i].AssumedRoleARN)
	}
	if n := len(s.Calls()); n != 3 {
		t.Errorf("%d calls", n)
	}
}

// TestChain_refused: the error has the role, and what STS says.
func TestChain_refused(t *testing.T) {
	t.Parallel()
	s := startEmulator()
	defer s.Close()
	if err := s.PutRole(emulator.Role{ARN: middle, ExternalID: "2f1c"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.chained(t, session.ChainConfig{Roles: []session.AssumeConfig{{RoleARN: middle}, {RoleARN: last}}}, nil)
	api, ok := errors.AsType[*session.APIError](err)
	if !ok || api.RoleARN != middle || api.Status != 403 || api.Code != "AccessDenied" || api.RequestID == "" ||
		err.Error() != "AWS refused the session of "+middle+": AccessDenied: User: arn:aws:sts::111122223333:assumed-role/kedge/web-1 is not authorized to perform: sts:AssumeRole on resource: "+middle {
		t.Errorf("%v\n%s", err, s.log)
	}
	if err := s.Inject(must(emulator.ParseFault("throttle"))); err != nil {
		t.Fatal(err)
	}
	_, err = s.chained(t, session.ChainConfig{Roles: []session.AssumeConfig{{RoleARN: middle}}}, nil)
	if api, ok = errors.AsType[*session.APIError](err); !ok || api.RoleARN != "" {
		t.Errorf("refused by CreateSession already: %v", err)
	}
}

// TestChain_faults: what is said where STS, or what stands before it, misbehaves.
func TestChain_faults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		faults   string // one after the other
		attempts int
		want     string // empty for success
	}{
		{"sts:cut", 2, ""},
		{"sts:throttle", 2, ""},
		{"sts:status=503", 2, ""},
		{"sts:cut*2", 2, " in 2 attempts: it closed the connection"},
		{"sts:throttle", 1, "AWS refused the session of " + middle + ": Throttling"},
		{"sts:status=500", 1, "AWS could not make the session of " + middle + ": "},
		{"sts:html", 1, " answered 200 OK with HTML: is there a proxy or a login page between?"},
		{"sts:html=403", 1, " answered 403 Forbidden with HTML: is there a proxy or a login page between?"},
		{"sts:redirect=https://portal.example.com/", 1, ` redirects to "https://portal.example.com/" (302 Found), which is not followed`},
		{"sts:huge=2000000", 1, "with more than 1 MiB"},
		{"sts:body", 1, " answered 201 Created, not 200 OK: is that STS?"},
		{"sts:skew=40m", 1, ""},
		{"sts:skew=-40m", 1, ""},
		{"skew=40m sts:skew=40m", 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.faults, func(t *testing.T) {
			t.Parallel()
			s := startEmulator()
			defer s.Close()
			if err := s.PutRole(emulator.Role{ARN: middle}); err != nil {
				t.Fatal(err)
			}
			for _, text := range strings.Fields(tt.faults) {
				fault := must(emulator.ParseFault(text))
				if strings.Contains(text, "skew") {
					fault.Count = 2
				}
				if err := s.Inject(fault); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.chained(t, session.ChainConfig{Roles: []session.AssumeConfig{{RoleARN: middle}}}, func(c *session.Config) { c.MaxAttempts = tt.attempts })
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || (got == nil) == (err == nil) {
				t.Errorf("got  %v\nwant %s\n%s", err, tt.want, s.log)
			}
		})
	}
}

// TestChain_timeout: the limit is for all calls together.
func TestChain_timeout(t *testing.T) {
	t.Parallel()
	s := startEmulator()
	defer s.Close()
	if err := errors.Join(s.PutRole(emulator.Role{ARN: middle}), s.Inject(must(emulator.ParseFault("sts:delay=1m")))); err != nil {
		t.Fatal(err)
	}
	_, err := s.chained(t, session.ChainConfig{Roles: []session.AssumeConfig{{RoleARN: middle}}}, func(c *session.Config) { c.Timeout = 2 * time.Second })
	if e, ok := errors.AsType[*session.TimeoutError](err); !ok || e.Limit != 2*time.Second || !strings.HasPrefix(err.Error(), "no session within 2s (1 attempt): no answer from 127.0.0.1:") {
		t.Error(err)
	}
}

// TestCaller: STS says whose a session is, and takes no other keys.
func TestCaller(t *testing.T) {
	t.Parallel()
	s := startEmulator()
	defer s.Close()
	client := must(session.New(session.Config{
		TrustAnchorARN: s.TrustAnchorARN(), ProfileARN: s.ProfileARN(), RoleARN: s.RoleARN(), Endpoint: s.URL, Now: time.Now, MaxAttempts: 1,
	}))
	caller := must(session.NewCaller(client, s.URL))
	cert, key := s.pair("web-1")
	made, err := client.CreateSession(t.Context(), must(signer.NewIdentity(key, []*x509.Certificate{cert}, time.Now())))
	if err != nil {
		t.Fatal(err)
	}
	credentials := aws.Credentials{AccessKeyID: made.AccessKeyID, SecretAccessKey: made.SecretAccessKey, SessionToken: made.SessionToken}
	if arn, err := caller.ARN(t.Context(), credentials); err != nil || arn != made.AssumedRoleARN || caller.Endpoint() != s.URL {
		t.Errorf("%q, %v, want %q", arn, err, made.AssumedRoleARN)
	}
	credentials.SecretAccessKey = "wrong"
	_, err = caller.ARN(t.Context(), credentials)
	if refusal, ok := errors.AsType[*session.APIError](err); !ok || refusal.Status != 403 || strings.Contains(err.Error(), "arn:") {
		t.Errorf("%v", err)
	}
	if _, err := session.NewCaller(client, "sts.example.com"); err == nil {
		t.Error("an endpoint without a scheme is taken")
	}
	if regional := must(session.NewCaller(client, "")); regional.Endpoint() != "https://sts."+client.Region()+".amazonaws.com" {
		t.Errorf("%s", regional.Endpoint())
	}
}
