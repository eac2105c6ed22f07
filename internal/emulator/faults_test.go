package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fetch sends one good CreateSession request over a real connection.
func fetch(t *testing.T, url string, c *craft, timeout time.Duration) (status int, header http.Header, body []byte, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, c.method, url+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range c.headers {
		request.Header.Set(h[0], h[1])
	}
	request.Host = c.get("Host")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, 4<<20))
	return response.StatusCode, response.Header, body, err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root)
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	good := newCraft(e, root.issue(t, leafTemplate())).sign(t)
	tests := []struct {
		fault  string
		status int
		body   string // contained
	}{
		{"status", 500, `{"message":"Internal Server Error"}`},
		{"status=503", 503, `{"message":"Service Unavailable"}`},
		{"throttle", 429, `{"message":"Rate exceeded"}`},
		{"html", 200, "<!DOCTYPE html>"},
		{"html=502", 502, "<!DOCTYPE html>"},
		{"redirect=http://other.example/", 302, ""},
		{"body", 201, ""},
		{"body={", 201, "{"},
		{"huge=1000000", 201, "   ]}"},
		{"delay=1ms", 201, `"roleArn":"arn:aws:iam::111122223333:role/kedge"`},
		{"skew=1h", 403, "Invalid signature"},
		{"wrong-role", 201, `"roleArn":"arn:aws:iam::111122223333:role/kedge-other"`},
		{"no-sets", 201, `"credentialSet":[]`},
		{"expired", 201, `"expiration":"2026-11-21T11:00:00Z"`},
		{`set=credentialSet.0.credentials.expiration="soon"`, 201, `"expiration":"soon"`},
		{"short=75s", 201, `"expiration":"2026-11-21T12:01:15Z"`},
		{"set=credentialSet=null", 201, `"credentialSet":null`},
		{"", 201, `"credentialSet":[{`},
	}
	for _, tt := range tests {
		if tt.fault != "" {
			f, err := ParseFault(tt.fault)
			if err == nil {
				err = e.Inject(f)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		status, header, body, err := fetch(t, server.URL, good, time.Minute)
		if err != nil || status != tt.status || !strings.Contains(string(body), tt.body) {
			t.Errorf("fault %q: %v, %d, %.300s", tt.fault, err, status, body)
		}
		if tt.fault == "skew=1h" && header.Get("Date") != "Sat, 21 Nov 2026 13:00:00 GMT" {
			t.Errorf("Date %s", header.Get("Date"))
		}
	}
}

func TestFaults_connection(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root)
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	good := newCraft(e, root.issue(t, leafTemplate())).sign(t)
	for _, tt := range []struct {
		fault Fault
		want  error // nil: any
	}{
		{Fault{Kind: "cut"}, nil},
		{Fault{Kind: "cut", Value: "body"}, io.ErrUnexpectedEOF},
		{Fault{Kind: "delay", Value: "1h"}, context.DeadlineExceeded},
	} {
		if err := e.Inject(tt.fault); err != nil {
			t.Fatal(err)
		}
		timeout := time.Minute
		if tt.fault.Kind == "delay" {
			timeout = 50 * time.Millisecond
		}
		if _, _, _, err := fetch(t, server.URL, good, timeout); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("fault %s: %v, want %v", tt.fault, err, tt.want)
		}
	}
	// An endless answer outlives every limit of the client's.
	if err := e.Inject(Fault{Kind: "endless"}); err != nil {
		t.Fatal(err)
	}
	if _, _, body, err := fetch(t, server.URL, good, time.Minute); err != nil || len(body) != 4<<20 {
		t.Errorf("endless: %d bytes, %v", len(body), err)
	}
}

func TestFaults_fields(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root)
	good := newCraft(e, root.issue(t, leafTemplate())).sign(t)
	if err := e.Inject(Fault{Kind: "remove", Value: "credentialSet.0.credentials.sessionToken", Count: 2}); err != nil {
		t.Fatal(err)
	}
	if err := e.Inject(Fault{Kind: "two-sets"}); err != nil {
		t.Fatal(err)
	}
	var lengths []int
	var tokens []bool
	for range 4 {
		a := send(t, e, good.wire())
		var c created
		if err := json.Unmarshal(a.body, &c); err != nil {
			t.Fatal(err)
		}
		lengths = append(lengths, len(c.CredentialSet))
		tokens = append(tokens, c.CredentialSet[0].Credentials.SessionToken != "")
	}
	if lengths[2] != 2 || lengths[3] != 1 || tokens[0] || tokens[1] || !tokens[2] || !tokens[3] {
		t.Errorf("sets %v, tokens %v", lengths, tokens)
	}
}

func TestFaults_refused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                "unknown kind",
		"delay":           "invalid duration",
		"short":           "invalid duration",
		"delay=soon":      "invalid duration",
		"status=42":       "not between 200 and 599",
		"throttle*0":      "at least 1",
		"throttle=1":      "takes no value",
		"cut=head":        `can only be "body"`,
		"set=a":           "PATH=JSON",
		"set=a={":         "EOF",
		"sts:wrong-role":  "CreateSession alone",
		"huge=0":          "not between",
		"status=503*many": "invalid syntax",
		"lost@0":          "the first request: it must be at least 1",
		"lost=1":          "takes no value",
		"iam:expired":     "CreateSession alone",
		"iam:unavailable": "Roles Anywhere alone",
		"unavailable=0":   "not between",
		"s3:throttle":     "unknown kind",
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root)
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	call := func(method, path, body string, header ...string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if len(header) == 2 && header[0] == "Host" {
			request.Host = header[1]
		} else if len(header) == 2 {
			request.Header.Set(header[0], header[1])
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(text)
	}
	if status, text := call("POST", "/_emulator/faults", "sts:throttle\nstatus=502*2\n"); status != http.StatusNoContent {
		t.Errorf("faults: %d %s", status, text)
	}
	if status, text := call("POST", "/_emulator/faults", "throttle\nexplode"); status != http.StatusBadRequest || !strings.Contains(text, "unknown kind") {
		t.Errorf("bad fault: %d %s", status, text)
	}
	if status, text := call("GET", "/?Action=GetCallerIdentity", ""); status != http.StatusBadRequest || !strings.Contains(text, "<Code>Throttling</Code>") {
		t.Errorf("throttled STS: %d %s", status, text)
	}
	good := newCraft(e, root.issue(t, leafTemplate())).sign(t)
	if got := send(t, e, good.wire()).status; got != http.StatusBadGateway {
		t.Errorf("first: %d", got)
	}
	if status, _ := call("DELETE", "/_emulator/faults", ""); status != http.StatusNoContent {
		t.Errorf("clear: %d", status)
	}
	session := send(t, e, good.wire()).created(t).CredentialSet[0].Credentials
	status, text := call("GET", "/_emulator/sessions", "")
	if status != http.StatusOK || !strings.Contains(text, session.AccessKeyID) || !strings.Contains(text, `"sourceIdentity":"CN=web-1"`) {
		t.Errorf("sessions: %d %s", status, text)
	}
	if strings.Contains(text, session.SecretAccessKey) || strings.Contains(text, session.SessionToken) {
		t.Error("the sessions show a secret")
	}
	if _, text := call("GET", "/_emulator/calls", ""); !strings.Contains(text, `"code":"fault status=502"`) || !strings.Contains(text, `"status":201`) {
		t.Errorf("calls: %s", text)
	}
	if status, _ := call("GET", "/_emulator/sessions", "", "Host", "rebound.example:80"); status != http.StatusForbidden {
		t.Errorf("foreign host: %d", status)
	}
	if status, _ := call("POST", "/_emulator/faults", "throttle", "Origin", "https://page.example"); status != http.StatusForbidden {
		t.Errorf("web page: %d", status)
	}
	if status, _ := call("GET", "/_emulator/other", ""); status != http.StatusNotFound {
		t.Errorf("unknown: %d", status)
	}
}

func TestState_survivesRestart(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	dir := filepath.Join(t.TempDir(), `a*[state]\b`)
	now := testNow
	open := func() *Emulator {
		return newEmulator(t, root, func(c *Config) { c.StateDir = dir; c.Now = func() time.Time { return now } })
	}
	e := open()
	leaf := root.issue(t, leafTemplate())
	key := send(t, e, newCraft(e, leaf).sign(t).wire()).created(t).CredentialSet[0].Credentials.AccessKeyID
	before := e.sessions.find(key)
	flush(t, e)
	path := filepath.Join(dir, "sessions", key+".json")
	for name, mode := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	after := open().sessions.find(key)
	if after == nil || after.secretAccessKey != before.secretAccessKey || after.sessionToken != before.sessionToken || !after.Expiration.Equal(before.Expiration) {
		t.Errorf("after a restart: %+v, before %+v", after, before)
	}
	// What expired two days ago is forgotten at the next session.
	now = now.Add(48 * time.Hour)
	e = open()
	if err := e.remember(newRoleSession(e.iam.Role(e.RoleARN()), "new", now, time.Hour)); err != nil {
		t.Fatal(err)
	}
	flush(t, e)
	if _, err := os.Stat(path); !os.IsNotExist(err) || e.sessions.find(key) != nil {
		t.Errorf("the old session is still there: %v", err)
	}
	for text, want := range map[string]string{
		"": "EOF", "{}": "its accessKeyId is", "null": "its accessKeyId is",
		`{"accessKeyId":"` + key + `","secretAccessKey":"x"}`:                    "it has no sessionToken",
		`{"accessKeyId":"` + key + `","secretAccessKey":"x","sessionToken":"y"}`: "it has no assumedRoleArn",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{TrustAnchors: []TrustAnchor{{Certificates: root.pem()}}, StateDir: dir}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("a broken file: %v, want %s", err, want)
		}
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:80"} {
		if _, err := Listen(t.Context(), address, false); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%s: %v", address, err)
		}
	}
	l, err := Listen(t.Context(), "localhost:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, http.NotFoundHandler()) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestFault_String: what is printed is read again.
func TestFault_String(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"lost", "iam:lost@3", "sts:throttle*2", "rolesanywhere:unavailable=7*2@3", "redirect=http://a:1/", "body=a@b*1", "body=a@5*1", "body=a*2*1@3"} {
		if f, err := ParseFault(text); err != nil || f.String() != text {
			t.Errorf("%q: %q, %v", text, f, err)
		}
	}
}

// The list for people and the switch that decides say the same.
func TestFaultKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range FaultKinds() {
		if _, err := ParseFault(kind); err != nil && strings.Contains(err.Error(), "unknown kind") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
