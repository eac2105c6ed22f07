package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// explain asks why a request was refused.
func (w *controlWorld) explain(t *testing.T, id, accept string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/_emulator/explain/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	return w.send(t, r)
}

// lastID returns the request id of the last call, which must be refused.
func (w *controlWorld) lastID(t *testing.T) string {
	t.Helper()
	calls := w.Calls()
	last := calls[len(calls)-1]
	if last.Status < 400 || last.ID == "" {
		t.Fatalf("the last call is %+v, want a refused one", last)
	}
	return last.ID
}

// TestExplain_session: a refused session has its reasons under the request id of the answer, as JSON and as text,
// and the log has the id. The answer itself has nothing of them.
func TestExplain_session(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w := newControlWorld(t, func(c *Config) {
		c.Log = &log
		c.Roles = []Role{{TrustPolicy: trustPolicy(strings.Replace(byName, "web-1", "web-2", 1), threeActions)}}
	})
	template := leafTemplate()
	template.Subject.CommonName = "web-1"
	got := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, template))
	if got.String() != "403 AccessDeniedException: "+textAssume || strings.Contains(string(got.body), "web-2") {
		t.Fatalf("%s: %s", got, got.body)
	}
	id := w.lastID(t)
	if !strings.Contains(log.String(), "explained at /_emulator/explain/"+id+"\n") {
		t.Errorf("the log has no id: %s", &log)
	}
	response, text := w.explain(t, id, "*/*")
	for _, want := range []string{
		"CreateSession 403 AccessDeniedException: " + textAssume + "\nrequest " + id + ", ",
		"\nsts:TagSession: implicit deny\n  statement 1 \"hosts\", Allow: does not apply\n",
		`    not met: StringEquals aws:PrincipalTag/x509Subject/CN "web-2"; the request has "web-1"` + "\n",
		"\ncondition keys of sts:SetSourceIdentity:\n",
		"\n  sts:rolesessionname: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if kind := response.Header.Get("Content-Type"); kind != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %s", kind)
	}
	checkExplained(t, w, id)
}

// checkExplained compares the JSON of a refusal for the wrong common name.
func checkExplained(t *testing.T, w *controlWorld, id string) {
	t.Helper()
	var got struct {
		ID, Operation, Code, Message, Why string
		Status                            int
		Decisions                         []struct {
			Action, Principal, Resource, Outcome string
			Policies                             []struct {
				Layer, Outcome string
				Documents      []struct {
					Statements []struct {
						Index      int
						Sid        string
						Applies    bool
						Elements   []struct{ Matched bool }
						Conditions []struct {
							Operator, Key, Reason string
							Policy, Request       []string
							Met                   bool
						}
					}
				}
			}
			Context map[string][]string
		}
	}
	response, text := w.explain(t, id, "application/json")
	if err := json.Unmarshal([]byte(text), &got); err != nil || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, text)
	}
	if got.ID != id || got.Operation != "CreateSession" || got.Status != http.StatusForbidden || len(got.Decisions) != 3 {
		t.Fatalf("%+v", got)
	}
	d := got.Decisions[0]
	if d.Action != "sts:AssumeRole" || d.Principal != "rolesanywhere.amazonaws.com" || d.Resource != w.RoleARN() || d.Outcome != "implicit deny" {
		t.Errorf("%+v", d)
	}
	if d.Context["sts:sourceidentity"][0] != "CN=web-1" {
		t.Errorf("context %v", d.Context)
	}
	s := d.Policies[0].Documents[0].Statements[0]
	if d.Policies[0].Layer != "trust policy" || s.Sid != "hosts" || s.Applies || !s.Elements[0].Matched || !s.Elements[1].Matched {
		t.Errorf("%+v", s)
	}
	for _, c := range s.Conditions {
		if want := c.Key != "aws:PrincipalTag/x509Subject/CN"; c.Met != want || !want && (c.Operator != "StringEquals" || c.Policy[0] != "web-2" || c.Request[0] != "web-1" || c.Reason != "compared") {
			t.Errorf("%+v", c)
		}
	}
}

// TestExplain_calls: the refusals of the control plane, of IAM, and those without a policy are there, too.
func TestExplain_calls(t *testing.T) {
	t.Parallel()
	mallory := User{ARN: "arn:aws:iam::111122223333:user/mallory", AccessKeyID: "AKIAMALLORY000000000", SecretAccessKey: "s"}
	w := newControlWorld(t, func(c *Config) { c.Users = []User{mallory} })
	for _, tt := range []struct {
		name string
		call func() *http.Request
		want string
	}{
		{"not allowed", func() *http.Request { return w.signed(t, mallory, "GET", "/profiles", "") }, "\nrolesanywhere:ListProfiles: implicit deny\n  identity policies: implicit deny\n"},
		{"IAM", func() *http.Request {
			body := "Action=ListRoles&Version=2010-05-08"
			r := w.signed(t, mallory, "POST", "/", body)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			sign(r, mallory, body, "iam")
			return r
		}, "\niam:ListRoles: implicit deny\n"},
		{"not there", func() *http.Request {
			return w.signed(t, w.Administrator(), "GET", "/profile/6b656467-6500-4000-9000-00000000000f", "")
		}, "ResourceNotFoundException"},
		{"forged", func() *http.Request {
			return w.signed(t, User{AccessKeyID: mallory.AccessKeyID, SecretAccessKey: "guess"}, "GET", "/profiles", "")
		}, "\nbecause "},
	} {
		response, body := w.send(t, tt.call())
		id := response.Header.Get("X-Amzn-Requestid")
		if response.StatusCode < 400 || strings.Contains(body, "identity policies") {
			t.Fatalf("%s: %s %s", tt.name, response.Status, body)
		}
		if _, text := w.explain(t, id, "text/plain"); !strings.Contains(text, tt.want) {
			t.Errorf("%s: no %q in %s", tt.name, tt.want, text)
		}
	}
}

// TestExplain_refused: unknown ids and other machines get nothing, also with a name of loopback in the request.
func TestExplain_refused(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	if response, text := w.explain(t, "no-such-id", ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("unknown: %s %s", response.Status, text)
	}
}

// TestControl_local: of the control interface, other machines reach nothing, whatever host they name.
func TestControl_local(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	w.send(t, w.signed(t, User{AccessKeyID: "AKIA", SecretAccessKey: "s"}, "GET", "/profiles", ""))
	for _, tt := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "sessions", "", http.StatusOK},
		{"GET", "calls", "", http.StatusOK},
		{"GET", "explain/" + w.lastID(t), "", http.StatusOK},
		{"POST", "faults", "throttle", http.StatusNoContent},
		{"DELETE", "faults", "", http.StatusNoContent},
		{"GET", "unknown", "", http.StatusNotFound},
	} {
		for address, want := range map[string]int{"192.0.2.7:5555": http.StatusForbidden, "127.0.0.1:5555": tt.want, "[::1]:5555": tt.want} {
			r := httptest.NewRequest(tt.method, "http://localhost/_emulator/"+tt.path, strings.NewReader(tt.body))
			r.RemoteAddr = address
			recorder := httptest.NewRecorder()
			w.Handler().ServeHTTP(recorder, r)
			if recorder.Code != want {
				t.Errorf("%s %s from %s: %d, want %d", tt.method, tt.path, address, recorder.Code, want)
			}
		}
	}
}

// TestRefusals_bounded: the newest are kept, each with so many bytes.
func TestRefusals_bounded(t *testing.T) {
	t.Parallel()
	var all refusals
	for i := range maxRefusals + 7 {
		all.add(Refusal{Call: Call{ID: fmt.Sprint(i)}, details: []string{strings.Repeat(strings.Repeat("x", 300)+"\n", 1000)}})
	}
	if _, old := all.byID["6"]; old || len(all.byID) != maxRefusals || len(all.ids) != maxRefusals {
		t.Errorf("%d refusals, %d ids are kept, the oldest: %t", len(all.byID), len(all.ids), old)
	}
	if size := len(strings.Join(all.byID["7"].details, "")); size > maxRefusalDetails+10 || size < maxRefusalDetails/2 {
		t.Errorf("details of %d bytes", size)
	}
}

// TestRefusals_decisions: what policies decided is kept unless a request has too much for them, and then a line says so.
func TestRefusals_decisions(t *testing.T) {
	t.Parallel()
	mallory := User{ARN: "arn:aws:iam::111122223333:user/mallory", AccessKeyID: "AKIAMALLORY000000000", SecretAccessKey: "s"}
	w := newControlWorld(t, func(c *Config) { c.Users = []User{mallory} })
	for _, tt := range []struct {
		name, tag string
		count     int
		kept      bool
	}{
		{"a few", `{"key":"team","value":"storage"}`, 50, true},
		{"many", `{"key":"team","value":"storage"}`, 20_000, false},
		{"many empty ones", `{"key":"","value":""}`, 20_000, false},
	} {
		tags := strings.TrimSuffix(strings.Repeat(tt.tag+",", tt.count), ",")
		response, body := w.call(t, mallory, http.MethodPost, "/TagResource", `{"resourceArn":"`+w.ProfileARN()+`","tags":[`+tags+`]}`)
		if response.StatusCode != http.StatusForbidden {
			t.Fatalf("%s: %s %s", tt.name, response.Status, body)
		}
		id := w.lastID(t)
		got, _ := w.Refusal(id)
		_, text := w.explain(t, id, "text/plain")
		all, _ := got.Decisions.(decisions)
		if (len(all) > 0) != tt.kept || strings.Contains(text, "\n… the condition keys of 1 of 1 decisions ") == tt.kept || strings.Contains(text, "\ncondition keys of ") != tt.kept {
			t.Errorf("%s: %d decisions are kept; %.2000s", tt.name, len(all), text)
		}
		if _, text := w.explain(t, id, "application/json"); strings.Contains(text, `"decisionsLeftOut":1`) == tt.kept {
			t.Errorf("%s: %.2000s", tt.name, text)
		}
	}
}

// TestDecisions_within: the first ones are kept, up to the limit.
func TestDecisions_within(t *testing.T) {
	t.Parallel()
	large := decision{Context: map[string][]string{"k": {strings.Repeat("x", 100)}}}
	for _, tt := range []struct{ most, want int }{{0, 0}, {large.size() - 1, 0}, {large.size(), 1}, {2 * large.size(), 2}, {1 << 20, 3}} {
		if got := (decisions{large, large, large}).within(tt.most); len(got) != tt.want {
			t.Errorf("%d bytes: %d decisions, want %d", tt.most, len(got), tt.want)
		}
	}
}

// TestExplain_noPolicy: a request that no statement refused has a reason, too, in the log, as text and as JSON.
func TestExplain_noPolicy(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w := newControlWorld(t, func(c *Config) { c.Log = &log })
	admin := w.Administrator()
	for _, tt := range []struct {
		name string
		call func() *http.Request
		want string
	}{
		{"another service", func() *http.Request { // aws s3 ls
			r := w.signed(t, admin, "GET", "/", "")
			sign(r, admin, "", "s3")
			return r
		}, `it was signed for the service "s3", and sts is at this path; the emulator has sts, iam and rolesanywhere`},
		{"another path", func() *http.Request { return w.signed(t, admin, "GET", "/bucket", "") }, `GET "/bucket": CreateSession is POST /sessions, STS and IAM are /`},
		{"not there", func() *http.Request {
			return w.signed(t, admin, "GET", "/profile/6b656467-6500-4000-9000-00000000000f", "")
		}, noPolicy},
		{"not valid", func() *http.Request { return w.signed(t, admin, "GET", "/profiles?pageSize=x", "") }, noPolicy},
	} {
		response, body := w.send(t, tt.call())
		id := response.Header.Get("X-Amzn-Requestid")
		if response.StatusCode < 400 {
			t.Fatalf("%s: %s %s", tt.name, response.Status, body)
		}
		if _, text := w.explain(t, id, "text/plain"); !strings.Contains(text, "\nbecause "+tt.want+"\n") {
			t.Errorf("%s: %s", tt.name, text)
		}
		var got struct{ Why string }
		if _, text := w.explain(t, id, "application/json"); json.Unmarshal([]byte(text), &got) != nil || got.Why != tt.want {
			t.Errorf("%s: %s", tt.name, text)
		}
		if !strings.Contains(log.String(), "    because "+tt.want+"\n    explained at /_emulator/explain/"+id+"\n") {
			t.Errorf("%s: %s", tt.name, &log)
		}
	}
}

// TestRefusals_long: of a refused request with long values little is kept, though nobody signed it.
func TestRefusals_long(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader("Action="+strings.Repeat("x", 900<<10)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.send(t, r)
	got, ok := w.Refusal(w.lastID(t))
	if size := len(got.Operation) + len(got.Message) + len(got.Why); !ok || size > 2000 || !strings.HasPrefix(got.Operation, "xxx") {
		t.Errorf("%t: %d bytes of a call are kept, of the operation %.20q", ok, size, got.Operation)
	}
}

func TestWantsJSON(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "text/plain": false, "application/json": true, "application/json, */*": true,
		"text/plain, application/json;q=0.5": false, "text/plain;q=0.5, application/json": true, "application/json;q=0": false,
		"text/html;;;": false,
	} {
		if got := wantsJSON([]string{accept}); got != want {
			t.Errorf("%q: %t", accept, got)
		}
	}
}
