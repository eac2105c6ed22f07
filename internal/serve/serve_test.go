package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	roleARN       = "arn:aws:iam::111122223333:role/app"
	authorization = "token-of-the-tests"
)

// source is a CredentialsProvider whose answer the test sets.
type source struct {
	mu   sync.Mutex
	next aws.Credentials
	err  error
	wait bool // for the context to end
}

func (s *source) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wait {
		<-ctx.Done()
		return aws.Credentials{}, ctx.Err()
	}
	return s.next, s.err
}

func (s *source) set(c aws.Credentials, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.err = c, err
}

func credentials(id string) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: id, SecretAccessKey: "secret-" + id, SessionToken: "token-" + id, AccountID: "111122223333",
		CanExpire: true, Expires: time.Now().Add(time.Hour).UTC(),
	}
}

// running is a Server on a loopback port.
type running struct {
	*Server
	url, address string
	source       *source
	log          *lockedBuffer
	stop         func() error // stops it, and returns Serve's error
}

// start runs a server with one role "app" whose config the test may change.
func start(t *testing.T, change ...func(*Config)) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, l, change...)
}

func startOn(t *testing.T, l net.Listener, change ...func(*Config)) *running {
	t.Helper()
	src, log := &source{next: credentials("ASIA1")}, &lockedBuffer{}
	cfg := Config{
		Roles:         []Role{{Name: "app", ARN: roleARN, Region: "eu-west-1", Credentials: src}},
		Authorization: authorization,
		Log:           slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, 5*time.Second, l) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &running{s, "http://" + l.Addr().String(), l.Addr().String(), src, log, stop}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// reply is a response that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request with header lines "Name: value"; "Host" is special.
func (r *running) ask(t *testing.T, method, path string, lines ...string) reply {
	t.Helper()
	req, err := http.NewRequest(method, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			req.Host = value
		} else {
			req.Header.Add(name, value)
		}
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

// token gets one of IMDSv2, as a header line.
func (r *running) token(t *testing.T) string {
	t.Helper()
	got := r.ask(t, "PUT", tokenPath, ttlHeader+": 60")
	if got.status != http.StatusOK {
		t.Fatalf("no token: %d %s", got.status, got.body)
	}
	return tokenHeader + ": " + got.body
}

func TestIMDS(t *testing.T) {
	t.Parallel()
	r := start(t)
	put := r.ask(t, "PUT", tokenPath, ttlHeader+": 21600")
	if put.status != 200 || put.header.Get(ttlHeader) != "21600" || len(put.body) != 56 || put.header.Get("Content-Type") != "text/plain" {
		t.Fatalf("token: %+v", put)
	}
	token := tokenHeader + ": " + put.body
	for path, want := range map[string]string{
		"/latest/meta-data/iam/security-credentials":           "app",
		"/latest/meta-data/iam/security-credentials/":          "app",
		"/latest/meta-data/iam/security-credentials-extended/": "app",
		"/latest/meta-data/placement/region":                   "eu-west-1",
		"/latest/meta-data/placement/availability-zone":        "eu-west-1a",
	} {
		if got := r.ask(t, "GET", path, token); got.status != 200 || got.body != want {
			t.Errorf("%s: %d %q", path, got.status, got.body)
		}
	}
	for path, fields := range map[string][]string{
		"/latest/meta-data/iam/security-credentials/app":          {"Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"},
		"/latest/meta-data/iam/security-credentials-extended/app": {"Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration", "AccountId"},
		"/latest/meta-data/iam/info":                              {"Code", "LastUpdated", "InstanceProfileArn", "InstanceProfileId"},
		"/latest/dynamic/instance-identity/document":              {"accountId", "architecture", "availabilityZone", "pendingTime", "region", "version"},
	} {
		got := r.ask(t, "GET", path, token)
		var document map[string]string
		if err := json.Unmarshal([]byte(got.body), &document); err != nil || got.status != 200 || len(document) != len(fields) {
			t.Fatalf("%s: %d %v %s", path, got.status, err, got.body)
		}
		for _, field := range fields {
			if document[field] == "" {
				t.Errorf("%s: no %s in %s", path, field, got.body)
			}
			if strings.HasSuffix(field, "Updated") || field == "Expiration" || field == "pendingTime" {
				if _, err := time.Parse("2006-01-02T15:04:05Z", document[field]); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
	}
	if got := r.ask(t, "HEAD", "/latest/meta-data/iam/security-credentials/app", token); got.status != 200 || got.body != "" || got.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %+v", got)
	}
	if got := r.ask(t, "GET", "/latest/meta-data/iam/security-credentials/other", token); got.status != 404 {
		t.Errorf("another role: %d", got.status)
	}
	if got := r.ask(t, "GET", "/latest/meta-data/instance-id", token); got.status != 404 {
		t.Errorf("instance id: %d %s", got.status, got.body)
	}
}

func TestContainer(t *testing.T) {
	t.Parallel()
	r := start(t)
	got := r.ask(t, "GET", "/v1/credentials/app", "Authorization: "+authorization)
	var document struct{ AccessKeyID, SecretAccessKey, Token, Expiration, AccountID, RoleARN string }
	if err := json.Unmarshal([]byte(got.body), &document); err != nil || got.status != 200 || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v %+v", err, got)
	}
	if document.AccessKeyID != "ASIA1" || document.SecretAccessKey != "secret-ASIA1" || document.Token != "token-ASIA1" || document.AccountID != "111122223333" || document.RoleARN != roleARN {
		t.Errorf("%+v", document)
	}
	for name, tt := range map[string]struct {
		method, path string
		lines        []string
		status       int
		code         string
	}{
		"no token":     {"GET", "/v1/credentials/app", nil, 401, "Unauthorized"},
		"wrong token":  {"GET", "/v1/credentials/app", []string{"Authorization: Bearer " + authorization}, 401, "Unauthorized"},
		"two tokens":   {"GET", "/v1/credentials/app", []string{"Authorization: " + authorization, "Authorization: x"}, 401, "Unauthorized"},
		"other role":   {"GET", "/v1/credentials/other", []string{"Authorization: " + authorization}, 404, "NotFound"},
		"no role":      {"GET", "/v1/credentials/", []string{"Authorization: " + authorization}, 404, "NotFound"},
		"other method": {"POST", "/v1/credentials/app", []string{"Authorization: " + authorization}, 405, "MethodNotAllowed"},
		"foreign host": {"GET", "/v1/credentials/app", []string{"Authorization: " + authorization, "Host: evil.example"}, 403, "Forbidden"},
	} {
		got := r.ask(t, tt.method, tt.path, tt.lines...)
		var refusal map[string]string
		if err := json.Unmarshal([]byte(got.body), &refusal); err != nil || got.status != tt.status || got.header.Get("Content-Type") != "application/json" || refusal["code"] != tt.code || refusal["message"] == "" || len(refusal) != 2 {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
}

// TestNew_refused: configurations that cannot be served.
func TestNew_refused(t *testing.T) {
	t.Parallel()
	good := Role{Name: "app", Credentials: &source{}}
	for name, tt := range map[string]struct {
		cfg  Config
		want string
	}{
		"no role":        {Config{}, "there is no role to serve"},
		"two of a name":  {Config{Roles: []Role{good, good}}, `two roles have the name "app"`},
		"no name":        {Config{Roles: []Role{{Credentials: good.Credentials}}}, `role name ""`},
		"path as name":   {Config{Roles: []Role{{Name: "..", Credentials: good.Credentials}}}, `role name ".."`},
		"slash in name":  {Config{Roles: []Role{{Name: "a/b", Credentials: good.Credentials}}}, `role name "a/b"`},
		"no credentials": {Config{Roles: []Role{{Name: "app"}}}, "role app has no credentials"},
		"hop limit":      {Config{Roles: []Role{good}, HopLimit: 65}, "1 to 64"},
	} {
		if _, err := New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSeveralRoles: IMDS lists the first and serves the others by name; the container endpoint has
// a path for each; roles are replaced atomically.
func TestSeveralRoles(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *Config) {
		c.Roles = append(c.Roles, Role{Name: "b+c@d", ARN: roleARN, Region: "us-east-1", Credentials: &source{next: credentials("ASIA2")}})
	})
	token := r.token(t)
	if got := r.ask(t, "GET", iamPath+"security-credentials/", token); got.body != "app" {
		t.Errorf("list: %q", got.body)
	}
	for path, id := range map[string]string{iamPath + "security-credentials/b+c@d": "ASIA2", iamPath + "security-credentials/app": "ASIA1"} {
		if got := r.ask(t, "GET", path, token); !strings.Contains(got.body, `"AccessKeyId":"`+id+`"`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := r.ask(t, "GET", "/v1/credentials/b+c@d", "Authorization: "+authorization); !strings.Contains(got.body, "ASIA2") {
		t.Errorf("container: %d %s", got.status, got.body)
	}
	if err := r.SetRoles(nil); err == nil {
		t.Error("no roles at all were taken")
	}
	if err := r.SetRoles([]Role{{Name: "new", Credentials: &source{next: credentials("ASIA3")}}}); err != nil {
		t.Fatal(err)
	}
	if got := r.ask(t, "GET", iamPath+"security-credentials/", token); got.body != "new" {
		t.Errorf("list after the change: %q", got.body)
	}
	if got := r.ask(t, "GET", iamPath+"security-credentials/app", token); got.status != 404 {
		t.Errorf("a role that is gone: %d", got.status)
	}
}

// TestNeverEmptyWith200: a failed refresh, expired or incomplete credentials are an error to the
// client, never empty keys with status 200.
func TestNeverEmptyWith200(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		credentials aws.Credentials
		err         error
		want        string
	}{
		"an error":   {aws.Credentials{}, errors.New("AccessDenied: no"), "no credentials: AccessDenied: no"},
		"empty":      {aws.Credentials{CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil, "incomplete"},
		"expired":    {aws.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "t", CanExpire: true, Expires: time.Unix(1, 0)}, nil, "expired at 1970-01-01T00:00:01Z"},
		"no end":     {aws.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", SessionToken: "t"}, nil, "no expiration"},
		"half empty": {aws.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "s", CanExpire: true, Expires: time.Now().Add(time.Hour)}, nil, "incomplete"},
	} {
		for _, warm := range []bool{false, true} {
			r := start(t)
			token := r.token(t)
			paths := map[string]string{iamPath + "security-credentials/app": token, iamPath + "security-credentials-extended/app": token, "/v1/credentials/app": "Authorization: " + authorization}
			for path, line := range paths {
				if got := r.ask(t, "GET", path, line); warm && got.status != 200 {
					t.Fatalf("%s: %d %s", path, got.status, got.body)
				}
			}
			r.source.set(tt.credentials, tt.err)
			for path, line := range paths {
				if got := r.ask(t, "GET", path, line); got.status != 503 || !strings.Contains(got.body, tt.want) || strings.Contains(got.body, "AccessKeyId") {
					t.Errorf("%s, %s: %d %s", name, path, got.status, got.body)
				}
			}
		}
	}
}

// TestNewCredentials: the documents change with the credentials, and are built once for each.
func TestNewCredentials(t *testing.T) {
	t.Parallel()
	r := start(t)
	first, err := r.roles.Load().roles[0].documents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.roles.Load().roles[0].documents(t.Context()); err != nil || again != first {
		t.Errorf("made again: %v", err)
	}
	r.source.set(credentials("ASIA2"), nil)
	if got := r.ask(t, "GET", "/v1/credentials/app", "Authorization: "+authorization); !strings.Contains(got.body, `"ASIA2"`) {
		t.Errorf("old credentials: %s", got.body)
	}
}
