package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"kedge/signer"
)

func TestCreateSession(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	c := s.client(t, func(cfg *Config) {
		cfg.Duration, cfg.RoleSessionName, cfg.UserAgent = time.Hour, "web-1", "kedge/1.0"
		cfg.Endpoint += "/prefix/"
	})
	got, err := c.CreateSession(t.Context(), identity())
	if err != nil {
		t.Fatal(err)
	}
	want := Session{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret/Key+1", SessionToken: "token//==",
		Expiration: start().Add(time.Hour), RoleARN: roleARN, AssumedRoleARN: assumedARN, AccountID: "111122223333",
		SubjectARN: "arn:aws:rolesanywhere:eu-west-1:111122223333:subject/a1b2c3d4-0000-4000-8000-000000000003", SourceIdentity: "CN=web-1", RequestID: "request-1",
	}
	if *got != want {
		t.Errorf("got %#v", got)
	}

	r, q := s.requests[0], s.requests[0].URL.Query()
	for name, pair := range map[string][2]string{
		"method": {r.Method, "POST"}, "path": {r.URL.Path, "/prefix/sessions"}, "body": {s.bodies[0], `{"durationSeconds":3600,"roleSessionName":"web-1"}`},
		"trust anchor": {q.Get("trustAnchorArn"), anchorARN}, "profile": {q.Get("profileArn"), profileARN}, "role": {q.Get("roleArn"), roleARN},
		"type": {r.Header.Get("Content-Type"), "application/json"}, "agent": {r.Header.Get("User-Agent"), "kedge/1.0"}, "date": {r.Header.Get("X-Amz-Date"), "20260301T120000Z"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", name, pair[0], pair[1])
		}
	}
	if auth := r.Header.Get("Authorization"); !strings.HasPrefix(auth, "AWS4-X509-ECDSA-SHA256 Credential=2575/20260301/eu-west-1/rolesanywhere/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-x509,") {
		t.Errorf("Authorization: %s", auth)
	}
}

func TestCreateSession_leavesOutWhatTheProfileDecides(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	if _, err := s.client(t).CreateSession(t.Context(), identity()); err != nil {
		t.Fatal(err)
	}
	if s.bodies[0] != "{}" {
		t.Errorf("body %s", s.bodies[0])
	}
}

func TestSession_printsNoSecrets(t *testing.T) {
	t.Parallel()
	s := Session{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "hunter2", SessionToken: "hunter3", AssumedRoleARN: assumedARN, Expiration: start()}
	want := "session of " + assumedARN + " until 2026-03-01T12:00:00Z"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s: %s", verb, got)
		}
		if got := fmt.Sprintf(verb, &s); got != want {
			t.Errorf("pointer, %s: %s", verb, got)
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(handler).Info("made", "session", s, "pointer", &s, "nested", struct{ S *Session }{&s})
	}
	if strings.Contains(log.String(), "hunter") || strings.Count(log.String(), want) < 5 {
		t.Errorf("log:\n%s", &log)
	}
}

// Each refusal of the service is one request and one line, whatever its form.
func TestCreateSession_refused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 1000)
	tests := []struct {
		name    string
		step    http.HandlerFunc
		code    string
		message string
		want    string
	}{
		{"type in the header", fail(403, "AccessDeniedException", "Untrusted signing certificate"), "AccessDeniedException", "Untrusted signing certificate", "AWS refused the session: AccessDeniedException: Untrusted signing certificate"},
		{"address behind the type", fail(400, "ValidationException:http://internal.amazon.com/coral/x/", "bad"), "ValidationException", "bad", "AWS refused the session: ValidationException: bad"},
		{"code in the body", reply(404, `{"code":"ResourceNotFoundException","Message":"gone"}`), "ResourceNotFoundException", "gone", "AWS refused the session: ResourceNotFoundException: gone"},
		{"type in the body", reply(403, `{"__type":"com.amazonaws.rolesanywhere#AccessDeniedException","message":"no"}`), "AccessDeniedException", "no", "AWS refused the session: AccessDeniedException: no"},
		{"no message", fail(403, "AccessDeniedException", ""), "AccessDeniedException", "", "AWS refused the session: AccessDeniedException"},
		{"no code", reply(403, `{"message":"Forbidden"}`), "", "Forbidden", "AWS refused the session: 403 Forbidden: Forbidden"},
		{"a message of two lines", fail(403, "AccessDeniedException", "one\nkedge: error: two\x1b[2J"), "AccessDeniedException", "one kedge: error: two [2J", "AWS refused the session: AccessDeniedException: one kedge: error: two [2J"},
		{"a code that is none", fail(403, "Access Denied", "x"), "", "x", "AWS refused the session: 403 Forbidden: x"},
		{"a long message", fail(403, "AccessDeniedException", long), "AccessDeniedException", brief(strings.TrimSpace(long)), "AWS refused the session: AccessDeniedException: " + brief(long)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, tt.step)
			_, err := s.client(t).CreateSession(t.Context(), identity())
			api, ok := errors.AsType[*APIError](err)
			if !ok || api.Code != tt.code || api.Message != tt.message || api.RequestID != "request-1" || api.Skew != 0 || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if s.count() != 1 {
				t.Errorf("%d requests", s.count())
			}
		})
	}
}

// What is not the answer to the question is told apart, and asked once only.
func TestCreateSession_badAnswers(t *testing.T) {
	t.Parallel()
	set := good()[len(`{"credentialSet":[`):strings.Index(good(), `],"subjectArn"`)]
	redirect := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://login.example/?next=1", http.StatusFound)
	}
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			fmt.Fprint(w, "<!DOCTYPE html><title>Welcome to the hotel</title>")
		}
	}
	hundredMB := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "104857600")
		w.WriteHeader(201)
		pour(w, 100<<20)
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		pour(w, 1<<40)
	}
	tests := []struct {
		name string
		step http.HandlerFunc
		want string
	}{
		{"two sets", reply(201, `{"credentialSet":[`+set+`,`+set+`]}`), "answered with 2 credential sets, not one"},
		{"no set", reply(201, `{"credentialSet":[]}`), "answered with 0 credential sets, not one"},
		{"null", reply(201, `null`), "answered with 0 credential sets, not one"},
		{"empty", reply(201, ``), "answered with JSON that is cut off or not a session"},
		{"cut off JSON", reply(201, good()[:200]), "answered with JSON that is cut off or not a session"},
		{"text after the JSON", reply(201, good()+"x"), "answered with JSON that is cut off or not a session"},
		{"a number for a key", reply(201, good(`"ASIAEXAMPLE"`, `1`)), "answered with JSON that is cut off or not a session"},
		{"another role", reply(201, good(roleARN, "arn:aws:iam::111122223333:role/admin")), `answered with credentials of the role "arn:aws:iam::111122223333:role/admin", not of "` + roleARN + `"`},
		{"no role", reply(201, good(roleARN, "")), `answered with credentials of the role "", not of`},
		{"no access key", reply(201, good("ASIAEXAMPLE", "")), "answered without accessKeyId"},
		{"no secret", reply(201, good("secretAccessKey", "secret")), "answered without secretAccessKey"},
		{"no token", reply(201, good("token//==", "")), "answered without sessionToken"},
		{"a key of two lines", reply(201, good("ASIAEXAMPLE", `ASIA\nx`)), "answered with characters in accessKeyId that no AWS credentials have"},
		{"a token with a space", reply(201, good("token//==", "a b")), "answered with characters in sessionToken that no AWS credentials have"},
		{"a name that drives the terminal", reply(201, good("CN=web-1", `CN=\u001b[2J`)), "answered with control characters in a name"},
		{"assumed role of another account", reply(201, good(assumedARN, strings.Replace(assumedARN, "1111", "9999", 1))), "which is none of account 111122223333"},
		{"no assumed role", reply(201, good(assumedARN, "")), `answered with the assumed role "", which is none of account 111122223333`},
		{"no expiration", reply(201, good("2026-03-01T13:00:00Z", "")), `answered with the expiration "", which is not a time of RFC 3339`},
		{"garbage expiration", reply(201, good("2026-03-01T13:00:00Z", "soon")), `answered with the expiration "soon", which is not a time of RFC 3339`},
		{"past expiration", reply(201, good("2026-03-01T13:00:00Z", "2026-03-01T12:00:00Z")), "answered with credentials that expired at 2026-03-01T12:00:00Z; it is 2026-03-01T12:00:00Z there"},
		{"200", reply(200, good()), "answered 200 OK, not 201 Created: is that IAM Roles Anywhere?"},
		{"redirect", redirect, `redirects to "https://login.example/?next=1" (302 Found), which is not followed: a request is signed for one address`},
		{"login page", page(200), "answered 200 OK with HTML: is there a proxy or a login page between?"},
		{"page for a session", page(201), "answered 201 Created with HTML: is there a proxy or a login page between?"},
		{"blocked page", page(403), "answered 403 Forbidden with HTML: is there a proxy or a login page between?"},
		{"text for an error", reply(400, "Bad Request"), "answered 400 Bad Request without an error of AWS: is there a proxy between?"},
		{"an odd status", reply(499, ""), "answered status 499 without an error of AWS"},
		{"100 MB", hundredMB, "answered 201 Created with more than 1 MiB"},
		{"endless", endless, "answered 201 Created with more than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, tt.step)
			_, err := s.client(t).CreateSession(t.Context(), identity())
			e, ok := errors.AsType[*ResponseError](err)
			if !ok || !strings.HasPrefix(err.Error(), s.Listener.Addr().String()+" "+tt.want) && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if e.RequestID != "request-1" || strings.Contains(err.Error(), "secret/") || strings.Contains(err.Error(), "hotel") {
				t.Errorf("%q, %v", e.RequestID, err)
			}
			if s.count() != 1 {
				t.Errorf("%d requests", s.count())
			}
		})
	}
}

// pour writes up to n bytes, or until the reader has had enough.
func pour(w http.ResponseWriter, n int) {
	chunk := []byte(strings.Repeat("x", 1<<16))
	for ; n > 0; n -= len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

type noIdentity struct{ err error }

func (n noIdentity) Identity(context.Context) (*signer.Identity, error) { return nil, n.err }

func TestCreateSession_sourceFails(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	want := &signer.RuleError{Subject: "CN=web-1", Rule: "is a CA"}
	if _, err := s.client(t).CreateSession(t.Context(), noIdentity{want}); err != error(want) {
		t.Errorf("got %v", err)
	}
	if s.count() != 0 {
		t.Error("something was sent")
	}
}

func TestCreateSession_trace(t *testing.T) {
	t.Parallel()
	s := newService(t, fail(503, "ServiceUnavailableException", "later"), success())
	var lines strings.Builder
	c := s.client(t, func(cfg *Config) {
		cfg.Trace = func(format string, args ...any) { fmt.Fprintf(&lines, format+"\n", args...) }
	})
	got, err := c.CreateSession(t.Context(), identity())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"attempt 1: POST " + s.URL + "/sessions?profileArn=", "signed for eu-west-1 at 2026-03-01T12:00:00Z", "X-Amz-X509",
		"attempt 1: 503 Service Unavailable, request id \"request-1\"", "waiting ", "attempt 2: 201 Created"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no %q in\n%s", want, lines.String())
		}
	}
	for _, secret := range []string{got.SecretAccessKey, got.SessionToken, "Signature="} {
		if strings.Contains(lines.String(), secret) {
			t.Errorf("%q in\n%s", secret, lines.String())
		}
	}
}

// FuzzResponse: whatever a server answers is either a whole session or one bounded line
// that quotes no secret.
func FuzzResponse(f *testing.F) {
	f.Add(201, "application/json", "", "", good())
	f.Add(201, "", "", "", `{"credentialSet":[{}]}`)
	f.Add(403, "application/json", "AccessDeniedException:http://x", "", `{"message":"Invalid signature"}`)
	f.Add(302, "text/html", "", "2", `<html>`)
	f.Add(429, "", "a#ThrottlingException", "Sun, 01 Mar 2026 12:00:09 GMT", `{"__type":1,"Message":"\u0007"}`)
	role, err := ParseARN(roleARN)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, contentType, errorType, retryAfterHeader, body string) {
		a := answer{host: "host", status: status, body: []byte(body), received: start(), header: http.Header{
			"Content-Type": {contentType}, "X-Amzn-Errortype": {errorType}, "Retry-After": {retryAfterHeader}, "Date": {retryAfterHeader}, "Location": {errorType},
		}}
		s, err := a.session(role)
		if err != nil {
			text := err.Error()
			if s != nil || len(text) > 3*maxText || strings.ContainsAny(text, "\n\r\x1b") || strings.Contains(text, "secret/Key+1") && !strings.Contains(errorType+body, `essage`) {
				t.Fatalf("%v, %q", s, text)
			}
			return
		}
		if status != 201 || s.AccessKeyID == "" || s.SecretAccessKey == "" || s.SessionToken == "" || s.RoleARN != roleARN || s.AccountID != role.Account || !s.Expiration.After(a.serverTime()) || !json.Valid(a.body) {
			t.Fatalf("took %q for a session", body)
		}
	})
}
