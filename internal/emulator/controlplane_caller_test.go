package emulator

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/rolesanywhere"
)

// TestControlPlane_signature: every operation wants a signature of a user for this service.
func TestControlPlane_signature(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	admin := w.Administrator()
	unknown, wrong := admin, admin
	unknown.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	wrong.SecretAccessKey += "x"
	for _, tt := range []struct {
		name   string
		user   User
		change func(*http.Request)
		want   string
	}{
		{"none", admin, func(r *http.Request) { r.Header.Del("Authorization") }, "403 MissingAuthenticationTokenException"},
		{"unknown key", unknown, func(*http.Request) {}, "403 UnrecognizedClientException"},
		{"wrong secret", wrong, func(*http.Request) {}, "403 InvalidSignatureException"},
		{"another query", admin, func(r *http.Request) { r.URL.RawQuery += "&a=b" }, "403 InvalidSignatureException"},
		{"another service", admin, func(r *http.Request) { sign(r, admin, "", "sts") }, "403 InvalidSignatureException"},
		{"another date", admin, func(r *http.Request) { replaceIn(r, "X-Amz-Date", "T12", "T13") }, "403 InvalidSignatureException"},
		{"an unsigned header", admin, func(r *http.Request) { r.Header.Set("X-Amz-Extra", "a") }, "403 InvalidSignatureException"},
		{"no signature", admin, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") }, "400 IncompleteSignatureException"},
	} {
		for _, op := range rolesanywhere.Operations() {
			target := strings.ReplaceAll(op.Path, "{id}", url.PathEscape(w.ProfileARN()))
			r := w.signed(t, tt.user, op.Method, target+"?x=a", "")
			tt.change(r)
			response, body := w.send(t, r)
			if got := refusalOf(response, body); !strings.HasPrefix(got, tt.want+": ") {
				t.Errorf("%s, %s: %s, want %s", tt.name, op.Name, got, tt.want)
			}
		}
	}
}

func replaceIn(r *http.Request, header, from, to string) {
	r.Header.Set(header, strings.Replace(r.Header.Get(header), from, to, 1))
}

// TestControlPlane_body: a body that was changed on the way is refused, and changes nothing.
func TestControlPlane_body(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	body := `{"name":"p","roleArns":[]}`
	r := w.signed(t, w.Administrator(), "POST", "/profiles", body)
	r.Body = io.NopCloser(strings.NewReader(strings.Replace(body, "p", "q", 1)))
	response, text := w.send(t, r)
	if got := refusalOf(response, text); !strings.HasPrefix(got, "403 InvalidSignatureException: ") {
		t.Errorf("answer %s", got)
	}
	response, text = w.call(t, w.Administrator(), "GET", "/profiles", "")
	if response.StatusCode != 200 || strings.Count(text, `"profileArn"`) != 1 {
		t.Errorf("%s", text)
	}
}

// TestControlPlane_caller: the session of a role manages nothing; a user of the configuration may,
// in an account of its own alone.
func TestControlPlane_caller(t *testing.T) {
	t.Parallel()
	alice := User{
		ARN: "arn:aws:iam::222233334444:user/alice", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret",
		Permissions: iam.Permissions{Attached: []string{"arn:aws:iam::aws:policy/AdministratorAccess"}},
	}
	w := newControlWorld(t, func(c *Config) { c.Users = []User{alice} })
	w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, leafTemplate())).created(t)
	session := w.sessions.all()[0]
	host := User{AccessKeyID: session.AccessKeyID, SecretAccessKey: session.secretAccessKey}
	r := w.signed(t, host, "GET", "/profiles", "")
	r.Header.Set("X-Amz-Security-Token", session.sessionToken)
	response, text := w.send(t, r)
	if got := refusalOf(response, text); !strings.HasPrefix(got, "403 InvalidSignatureException: ") { // the token is not signed
		t.Errorf("answer %s", got)
	}
	stored := w.sessions.find(session.AccessKeyID)
	stored.sessionToken = "" // so that the signature is right
	response, text = w.call(t, host, "GET", "/profiles", "")
	want := "403 AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/kedge/5ec2e7 is not authorized to perform: rolesanywhere:ListProfiles on resource: * because"
	if got := refusalOf(response, text); !strings.HasPrefix(got, want) {
		t.Errorf("answer %s, want %s", got, want)
	}
	if response, text := w.call(t, alice, "GET", "/profiles", ""); response.StatusCode != 200 || text != `{"profiles":[]}` {
		t.Errorf("another account: %s %s", response.Status, text)
	}
	if response, text := w.call(t, alice, "GET", "/ListTagsForResource?resourceArn="+url.QueryEscape(w.ProfileARN()), ""); response.StatusCode != 404 {
		t.Errorf("another account: %s %s", response.Status, text)
	}
	if response, text := w.call(t, alice, "GET", "/profile/"+url.PathEscape(w.ProfileARN()), ""); response.StatusCode != 404 {
		t.Errorf("another account: %s %s", response.Status, text)
	}
}

// TestControlPlane_hugeBody: 100 MB are refused without being kept.
func TestControlPlane_hugeBody(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	const size = 100 << 20
	handler := w.Handler()
	for name, length := range map[string]int64{"announced": size, "unannounced": -1} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "/profiles", io.LimitReader(endless{}, size))
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI, r.ContentLength = "/profiles", length
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var out recorder
		handler.ServeHTTP(&out, r)
		runtime.ReadMemStats(&after)
		if out.status != http.StatusRequestEntityTooLarge || !bytes.Contains(out.body.Bytes(), []byte("Request size exceeded")) {
			t.Errorf("%s: %d %s", name, out.status, &out.body)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
			t.Errorf("%s: %d bytes were allocated", name, grown)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// TestControlPlane_passRole: who gives a role to a profile must be allowed iam:PassRole on it, and nothing is kept without.
func TestControlPlane_passRole(t *testing.T) {
	t.Parallel()
	const (
		mine   = "arn:aws:iam::111122223333:role/kedge"
		policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rolesanywhere:*","Resource":"*"},
			{"Effect":"Allow","Action":"iam:PassRole","Resource":"` + mine + `","Condition":{"StringEquals":{"iam:PassedToService":"rolesanywhere.amazonaws.com"}}}]}`
		refused = "403 AccessDeniedException: User: arn:aws:iam::111122223333:user/bob is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/Admin because no identity-based policy allows the iam:PassRole action"
	)
	bob := User{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret", Permissions: iam.Permissions{Inline: map[string]string{"p": policy}}}
	w := newControlWorld(t, func(c *Config) { c.Users = []User{bob} })
	profile := "/profile/" + idOf(w.ProfileARN())
	for _, tt := range []struct{ method, target, body, want string }{
		{"POST", "/profiles", `{"name":"p","roleArns":["` + mine + `"]}`, ""},
		{"PATCH", profile, `{"roleArns":["` + mine + `"]}`, ""},
		{"PATCH", profile, `{"name":"p"}`, ""},
		{"POST", "/profiles", `{"name":"p","roleArns":["` + mine + `","arn:aws:iam::111122223333:role/Admin"]}`, refused},
		{"PATCH", profile, `{"roleArns":["arn:aws:iam::111122223333:role/Admin"]}`, refused},
	} {
		response, text := w.call(t, bob, tt.method, tt.target, tt.body)
		if got := refusalOf(response, text); tt.want == "" && response.StatusCode >= 300 || tt.want != "" && got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.body, got, tt.want)
		}
	}
	if got := w.do(t, "GET", "/profiles", ""); strings.Contains(got, "Admin") {
		t.Errorf("a refused call gave the role: %s", got)
	}
}

// TestControlPlane_time: aws:CurrentTime is the time of the call, which a fault may shift.
func TestControlPlane_time(t *testing.T) {
	t.Parallel()
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"rolesanywhere:ListProfiles","Resource":"*",
		"Condition":{"DateLessThan":{"aws:CurrentTime":"2026-11-21T12:02:00Z"}}}}`
	bob := User{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret", Permissions: iam.Permissions{Inline: map[string]string{"p": policy}}}
	w := newRehearsal(t, func(c *Config) { c.Users = []User{bob} })
	if response, body := w.call(t, bob, http.MethodGet, "/profiles", ""); response.StatusCode != http.StatusOK {
		t.Errorf("at noon: %s %s", response.Status, body)
	}
	w.inject(t, "rolesanywhere:skew=4m")
	if response, body := w.call(t, bob, http.MethodGet, "/profiles", ""); !strings.HasPrefix(refusalOf(response, body), "403 AccessDeniedException: ") {
		t.Errorf("four minutes later: %s %s", response.Status, body)
	}
}
