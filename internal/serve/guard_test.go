package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kedge/internal/httpserver"
)

// TestDNSRebinding: only addresses of this machine and of AWS are accepted as hosts; a name that a
// web page resolves to this machine is not.
func TestDNSRebinding(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *Config) { c.Hosts = []string{"Host.Docker.Internal"} })
	_, port, _ := net.SplitHostPort(r.address)
	for host, good := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:" + port: true, "127.0.0.1:1": true, "localhost": true, "LOCALHOST:80": true, "localhost.": true, "127.8.9.1": true,
		"[::1]": true, "[::1]:9911": true, "[::ffff:127.0.0.1]:80": true, "169.254.169.254": true, "169.254.170.2": true, "169.254.170.23:80": true,
		"[fd00:ec2::254]": true, "[fd00:ec2::23]:80": true, "host.docker.internal:9911": true,
		"evil.example": false, "evil.example:" + port: false, "localhost.evil.example": false, "127.0.0.1.nip.io": false, "0.0.0.0": false, "[::]": false,
		"10.1.2.3": false, "2130706433": false, "127.1": false, "0x7f000001": false, "localhost:x": false, "169.254.169.253": false, "user@localhost": false,
	} {
		for _, tt := range []struct {
			method, path, line string
			ok, refused        int
		}{
			{"PUT", tokenPath, ttlHeader + ": 60", 200, 400},
			{"GET", iamPath + "security-credentials/", "A: b", 401, 403},
			{"GET", "/v1/credentials/app", "Authorization: " + authorization, 200, 403},
		} {
			want := tt.ok
			if !good {
				want = tt.refused
			}
			if got := r.raw(t, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", tt.method, tt.path, host, tt.line)); got != want && (good || got != 400) {
				t.Errorf("%s %s, Host %s: %d, want %d", tt.method, tt.path, host, got, want)
			}
		}
	}
	if got := r.raw(t, "GET /v1/credentials/app HTTP/1.0\r\nAuthorization: "+authorization+"\r\n\r\n"); got != 403 {
		t.Errorf("without Host: %d", got)
	}
}

// raw sends bytes and returns the status that comes back.
func (r *running) raw(t *testing.T, request string) int {
	t.Helper()
	c, status := r.send(t, request)
	c.Close()
	return status
}

// send sends bytes, and returns with the status that comes back the connection, to be closed.
func (r *running) send(t *testing.T, request string) (c net.Conn, status int) {
	t.Helper()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	response.Body.Close()
	return c, response.StatusCode
}

// TestForwardedRequest: a forwarded request gets neither a token nor credentials.
func TestForwardedRequest(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := r.token(t)
	for _, line := range []string{"X-Forwarded-For: 10.0.0.1", "x-forwarded-for: ", "Forwarded: for=10.0.0.1"} {
		if got := r.ask(t, "PUT", tokenPath, ttlHeader+": 60", line); got.status != 400 || len(got.body) >= 56 {
			t.Errorf("PUT with %s: %d %s", line, got.status, got.body)
		}
		if got := r.ask(t, "GET", iamPath+"security-credentials/app", token, line); got.status != 403 {
			t.Errorf("GET with %s: %d", line, got.status)
		}
		if got := r.ask(t, "GET", "/v1/credentials/app", "Authorization: "+authorization, line); got.status != 403 {
			t.Errorf("container with %s: %d", line, got.status)
		}
	}
	if got := r.raw(t, "GET http://127.0.0.1/v1/credentials/app HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: "+authorization+"\r\n\r\n"); got != 400 {
		t.Errorf("a request to a proxy: %d", got)
	}
	if got := r.raw(t, "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n"); got != 400 {
		t.Errorf("CONNECT: %d", got)
	}
}

// TestIMDSv1: a GET without a token is 401, whatever its path.
func TestIMDSv1(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, path := range []string{iamPath + "security-credentials/", iamPath + "security-credentials/app", iamPath + "security-credentials/other", "/latest/meta-data/", "/latest/dynamic/instance-identity/document"} {
		if got := r.ask(t, "GET", path); got.status != 401 || strings.Contains(got.body, "app") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// TestBadTokens: invalid requests for tokens, and invalid tokens.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	r := start(t)
	for name, lines := range map[string][]string{
		"no TTL": nil, "empty": {ttlHeader + ": "}, "zero": {ttlHeader + ": 0"}, "too long": {ttlHeader + ": 21601"}, "negative": {ttlHeader + ": -1"},
		"signed": {ttlHeader + ": +60"}, "word": {ttlHeader + ": hour"}, "huge": {ttlHeader + ": 99999999999999999999"}, "twice": {ttlHeader + ": 60", ttlHeader + ": 60"},
	} {
		if got := r.ask(t, "PUT", tokenPath, lines...); got.status != 400 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	good := strings.TrimPrefix(r.token(t), tokenHeader+": ")
	flip := func(i int) string {
		c := byte('A')
		if good[i] == c {
			c = 'B'
		}
		return good[:i] + string(c) + good[i+1:]
	}
	bad := map[string][]string{
		"empty": {""}, "short": {good[1:]}, "long": {good + "A"}, "of another process": {newTokens(time.Now).issue(time.Hour)},
		"not base64": {strings.Repeat("!", len(good))}, "two": {good, good}, "padded": {good + "="},
	}
	for i := range good {
		bad[fmt.Sprintf("changed at %d", i)] = []string{flip(i)}
	}
	for name, tokens := range bad {
		var lines []string
		for _, token := range tokens {
			lines = append(lines, tokenHeader+": "+token)
		}
		if got := r.ask(t, "GET", iamPath+"security-credentials/app", lines...); got.status != 401 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	for method, want := range map[string]int{"GET": 405, "POST": 405, "DELETE": 405} {
		if got := r.ask(t, method, tokenPath, ttlHeader+": 60"); got.status != want || got.header.Get("Allow") != "PUT" {
			t.Errorf("%s: %d %s", method, got.status, got.header.Get("Allow"))
		}
	}
}

// TestPutIsNeverFallback: after 403, 404 and 405 SDKs fall back to IMDSv1.
func TestPutIsNeverFallback(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, path := range []string{"/", "/latest/api/token/", "/latest/api//token", "/latest/api/%74oken", "/latest/meta-data/", "/v1/credentials/app", "/other", iamPath + "security-credentials/app"} {
		if got := r.ask(t, "PUT", path, ttlHeader+": 60"); got.status == 403 || got.status == 404 || got.status == 405 || got.status == 200 {
			t.Errorf("PUT %s: %d", path, got.status)
		}
	}
}

// TestTokenEnds: a token expires with its TTL, however the clock is set.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tokens := newTokens(time.Now)
		token := tokens.issue(time.Minute)
		time.Sleep(time.Minute - 1)
		if !tokens.valid(token) {
			t.Error("ended early")
		}
		time.Sleep(time.Nanosecond)
		if tokens.valid(token) {
			t.Error("good for too long")
		}
	})
}

// Test1001Tokens: there is no table of tokens, so the first is as valid as the last, and a million
// use no memory.
func Test1001Tokens(t *testing.T) {
	t.Parallel()
	r := start(t)
	first := r.token(t)
	for range 1000 {
		r.token(t)
	}
	last := r.token(t)
	if first == last {
		t.Error("the same token twice")
	}
	for _, token := range []string{first, last} {
		if got := r.ask(t, "GET", iamPath+"security-credentials/app", token); got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

// TestPathTricks: a path is compared as it was sent.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := r.token(t)
	for _, path := range []string{
		"/latest/meta-data/../meta-data/iam/security-credentials/app", "/latest//meta-data/iam/security-credentials/app", "//latest//meta-data/iam/security-credentials/app", "//latest/../latest/meta-data/iam/security-credentials/app",
		"//latest/meta-data/iam/security-credentials/%61pp", "/.//latest/meta-data/iam/security-credentials/app",
		"/latest/meta-data/iam/security-credentials/./app", "/latest/meta-data/iam/security-credentials%2fapp", "/latest/meta-data/iam/security-credentials/%61pp",
		"/latest/meta-data/iam/security-credentials/app/", "/latest/meta-data/iam/security-credentials/app%00", "/latest/meta-data/iam/security-credentials/..%2fsecurity-credentials%2fapp",
		"/LATEST/meta-data/iam/security-credentials/app", "/v1/credentials/../credentials/app", "/v1/credentials/%2e%2e/credentials/app", "/v1/credentials//app", "/latest/..", "/..",
		"/latest/meta-data/iam\\security-credentials/app",
	} {
		got := r.raw(t, "GET "+path+" HTTP/1.1\r\nHost: 127.0.0.1\r\n"+token+"\r\nAuthorization: "+authorization+"\r\n\r\n")
		if got != 404 {
			t.Errorf("%s: %d", path, got)
		}
	}
}

// TestLeadingSlashes: they count as one, and open nothing that one slash does not.
func TestLeadingSlashes(t *testing.T) {
	t.Parallel()
	r := start(t)
	token := r.token(t)
	container := "Authorization: " + authorization
	for _, tt := range []struct {
		method, path, line string
		status             int
	}{
		{"PUT", "//latest/api/token", ttlHeader + ": 60", 200},
		{"PUT", "////latest/api/token", ttlHeader + ": 60", 200},
		{"GET", "//latest/meta-data/iam/security-credentials/", token, 200},
		{"GET", "///latest/meta-data/iam/security-credentials/app", token, 200},
		{"GET", "//v1/credentials/app", container, 200},
		{"GET", "//latest/meta-data/iam/security-credentials/app", "A: b", 401},
		{"GET", "//v1/credentials/app", "A: b", 401},
		{"GET", "//evil.example/latest/api/token", token, 404},
		{"PUT", "//latest//api/token", ttlHeader + ": 60", 400},
		{"GET", "//", token, 404},
	} {
		got := r.raw(t, tt.method+" "+tt.path+" HTTP/1.1\r\nHost: 127.0.0.1\r\n"+tt.line+"\r\n\r\n")
		if got != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, got, tt.status)
		}
	}
}

// TestUnknownRole: the answer lists the roles, for clients with a token only.
func TestUnknownRole(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *Config) {
		other := c.Roles[0]
		other.Name = "backup"
		c.Roles = append(c.Roles, other)
	})
	token, container := r.token(t), "Authorization: "+authorization
	const list = "there is no role of this name here; there are: app, backup"
	for _, tt := range []struct {
		path, line string
		status     int
		listed     bool
	}{
		{"/v1/credentials/nosuch", container, 404, true},
		{"/v1/credentials/", container, 404, true},
		{"/v1/credentials/nosuch", "A: b", 401, false},
		{"/v1/credentials/nosuch", container + "x", 401, false},
		{iamPath + "security-credentials/nosuch", token, 404, true},
		{iamPath + "security-credentials-extended/nosuch", token, 404, true},
		{iamPath + "security-credentials/nosuch", "A: b", 401, false},
		{"/latest/meta-data/nosuch", token, 404, false},
		{"/other", token, 404, false},
	} {
		got := r.ask(t, "GET", tt.path, tt.line)
		if got.status != tt.status || strings.Contains(got.body, list) != tt.listed || !tt.listed && strings.Contains(got.body, "backup") {
			t.Errorf("%s with %.20s: %d %s", tt.path, tt.line, got.status, got.body)
		}
	}
	many := make([]Role, maxNames+3)
	if got := listNames(many); !strings.HasSuffix(got, " and 3 more") {
		t.Errorf("many roles: %s", got)
	}
}

// TestGigabyteBody: a body is not read, the connection ends, memory stays flat.
func TestGigabyteBody(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, request := range []string{
		"PUT " + tokenPath + " HTTP/1.1\r\nHost: localhost\r\n" + ttlHeader + ": 60\r\nContent-Length: 1073741824\r\n\r\n",
		"GET /v1/credentials/app HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + authorization + "\r\nContent-Length: 1073741824\r\n\r\n",
		"PUT " + tokenPath + " HTTP/1.1\r\nHost: localhost\r\n" + ttlHeader + ": 60\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\nxxxx",
	} {
		if status, sent := r.flood(t, request); status != 413 || sent > 64<<20 {
			t.Errorf("%.60q: %d after %d MiB", request, status, sent>>20)
		}
	}
	empty := "PUT " + tokenPath + " HTTP/1.1\r\nHost: localhost\r\n" + ttlHeader + ": 60\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	if got := r.raw(t, empty); got != 200 {
		t.Errorf("an empty body in chunks: %d", got)
	}
}

// flood sends a request and then bytes until the server has enough, a gigabyte at most.
func (r *running) flood(t *testing.T, request string) (status int, sent int64) {
	t.Helper()
	c, status := r.send(t, request)
	defer c.Close()
	chunk := make([]byte, 1<<20)
	for sent < 1<<30 {
		n, err := c.Write(chunk)
		sent += int64(n)
		if err != nil {
			break
		}
	}
	return status, sent
}

// TestHugeHeaders: headers past the limit are refused.
func TestHugeHeaders(t *testing.T) {
	t.Parallel()
	r := start(t)
	if got := r.raw(t, "GET / HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 16<<10)+"\r\n\r\n"); got != 431 {
		t.Errorf("%d", got)
	}
}

// TestSlowLoris: connections that never finish their request neither pile up nor keep others out.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	r := start(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range maxConnections + 200 {
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer c.Close()
		if i%2 == 0 {
			if _, err := io.WriteString(c, "GET / HT"); err != nil {
				t.Fatal(err)
			}
		}
	}
	deadline := time.Now().Add(time.Minute)
	for { // a connection that came while all others were young may be turned away: SDKs try again
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(r.url + "/latest/meta-data/")
		if err == nil {
			response.Body.Close()
			if response.StatusCode != 401 {
				t.Errorf("status %d", response.StatusCode)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("locked out: %v", err)
		}
	}
	open, _ := r.conns.Open(httpserver.Main)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if open > maxConnections {
		t.Errorf("%d connections open", open)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("%d MiB more", grown>>20)
	}
}

// TestRefusalsAreRateLimited: a message that clients cause a thousand times is logged four times.
func TestRefusalsAreRateLimited(t *testing.T) {
	t.Parallel()
	r := start(t)
	for range 1000 {
		r.ask(t, "GET", iamPath+"security-credentials/", "Host: evil.example")
	}
	if got := strings.Count(r.log.String(), "\n"); got != 4 {
		t.Errorf("%d lines:\n%s", got, r.log)
	}
	if !strings.Contains(r.log.String(), "times=1000") {
		t.Errorf("log:\n%s", r.log)
	}
}
