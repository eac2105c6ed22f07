package enroll

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// TestMessages: what is not a message of the API is refused before anything is looked up, however large
// it is (GHSA-r4pg-vg54-wxx4 of cert-manager).
func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	good, err := json.Marshal(h.enrollRequest(h.name))
	w.must(err)
	for name, tt := range map[string]struct {
		method, kind string
		body         string
		status       int
		rule         string
	}{
		"GET":          {"GET", "application/json", "", 405, "method"},
		"PUT":          {"PUT", "application/json", string(good), 405, "method"},
		"text":         {"POST", "text/plain", string(good), 400, "content-type"},
		"form":         {"POST", "application/x-www-form-urlencoded", string(good), 400, "content-type"},
		"no type":      {"POST", "", string(good), 400, "content-type"},
		"empty":        {"POST", "application/json", "", 400, "body"},
		"array":        {"POST", "application/json", "[]", 400, "body"},
		"null":         {"POST", "application/json", "null", 400, "body"},
		"two objects":  {"POST", "application/json", "{}{}", 400, "body"},
		"cut":          {"POST", "application/json", string(good[:len(good)/2]), 400, "body"},
		"number":       {"POST", "application/json", `{"request": 7}`, 400, "body"},
		"odd base64":   {"POST", "application/json", `{"request": "-_"}`, 400, "body"},
		"short secret": {"POST", "application/json", `{"token": {"id": "", "secret": "AAAA"}}`, 400, "body"},
		"control byte": {"POST", "application/json", "{\"request\": \"\x1b\"}", 400, "body"},
		"1 MB":         {"POST", "application/json", `{"request": "` + strings.Repeat("A", 1<<20) + `"}`, 413, "body"},
	} {
		for _, path := range []string{enrollapi.PathEnroll, enrollapi.PathRenew, enrollapi.PathUnenroll} {
			if strings.HasPrefix(tt.body, `{"token"`) && path != enrollapi.PathEnroll || strings.Contains(tt.body, "request") && path == enrollapi.PathUnenroll && tt.status == 400 && tt.rule == "body" {
				continue // a field that is not known there
			}
			seq := w.seq()
			got := w.send(tt.method, path, []byte(tt.body), func(r *http.Request) { r.Header.Set("Content-Type", tt.kind) })
			if got.status != tt.status || got.rule != tt.rule || w.seq() != seq {
				t.Errorf("%s at %s: %d by rule %q, want %d by %q", name, path, got.status, got.rule, tt.status, tt.rule)
			}
		}
	}
	got := w.send("POST", enrollapi.PathEnroll, good, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") })
	if got.status != 200 {
		t.Errorf("%d: %s", got.status, got.record)
	}
}

// TestPaths: other paths are not found, and nobody is redirected.
func TestPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	terms := *w.server.terms.Load()
	terms.Prefix = "/kedge"
	w.server.SetTerms(&terms)
	w.must(w.server.RenewCertificate(t.Context()))
	for path, want := range map[string]int{
		"/": 404, "/v1": 404, "/v1/enroll/": 404, "//v1/enroll": 404, "/v1/../v1/enroll": 404, "/V1/enroll": 404, "/v1/certificates": 404, "/crl/ca.crl": 404,
		"/v1/enroll": 405, "/kedge/v1/enroll": 405, "/kedgev1/enroll": 404, "/kedge/kedge/v1/enroll": 404,
		"/v1/ca": 200, "/v1/health": 200, "/v1/ready": 200, "/kedge/v1/ready": 200,
	} {
		if got := w.send("GET", path, nil); got.status != want || got.header.Get("Location") != "" {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	for _, path := range []string{enrollapi.PathCA, enrollapi.PathHealth, enrollapi.PathReady} {
		if got := w.send("POST", path, []byte("{}")); got.status != 405 {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
}

// TestAnswer: what a host gets with its certificate.
func TestAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	terms := *w.server.terms.Load()
	terms.AWS = func(*x509.Certificate) *enrollapi.AWS {
		return &enrollapi.AWS{TrustAnchorARN: "arn:a", ProfileARN: "arn:p", RoleARN: "arn:r", Region: "eu-west-1"}
	}
	w.server.SetTerms(&terms)
	h := w.machine("web-01")
	got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name))
	c, a := got.certificate(t), got.answer
	if a.Name != "web-01" || a.Profile != "workload" || a.Serial != ca.SerialHex(c) || len(a.Chain) != 0 || len(a.Bundle) != 1 || string(a.Bundle[0]) != string(w.root().Raw) || *a.AWS != *terms.AWS(nil) {
		t.Errorf("%+v", a)
	}
	if life := int64(24 * time.Hour / time.Second); a.Renew.After < life*6/10 || a.Renew.After > life*7/10 || a.Renew.Before <= a.Renew.After || a.Renew.Before > life*8/10 {
		t.Errorf("renew between %d and %d", a.Renew.After, a.Renew.Before)
	}
	w.wait(23 * time.Hour)
	if again := w.post(enrollapi.PathRenew, enrollapi.RenewRequest{}); again.status == 200 {
		t.Error("a renewal without anything")
	}
	sum := pin(w.root())
	var known enrollapi.CA
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, httptest.NewRequest("GET", enrollapi.PathCA, nil))
	if err := json.Unmarshal(recorder.Body.Bytes(), &known); err != nil || known.Audience != hex.EncodeToString(sum[:]) || len(known.Bundle) != 1 {
		t.Errorf("%s, %v", recorder.Body, err)
	}
}

// TestAnswer_chain: below an intermediate, a host gets that in the chain, and the root in the bundle,
// also with a certificate that was issued before another authority began to issue.
func TestAnswer_chain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	byRoot := w.machine("web-01").enrolls()
	w.intermediate("sub")
	h := w.machine("web-02")
	for range 2 { // again, too
		got := h.enrolls()
		if len(got.answer.Chain) != 1 || len(got.answer.Bundle) != 1 || string(got.answer.Bundle[0]) != string(w.root().Raw) {
			t.Fatalf("%d certificates in the chain, %d roots", len(got.answer.Chain), len(got.answer.Bundle))
		}
		sub, err := x509.ParseCertificate(got.answer.Chain[0])
		w.must(err)
		w.must(got.certificate(t).CheckSignatureFrom(sub))
		w.must(sub.CheckSignatureFrom(w.root()))
	}
	if len(byRoot.answer.Chain) != 0 {
		t.Error("the root is in the chain")
	}
	w.must(w.server.RenewCertificate(t.Context()))
	if n := len(w.server.certificate.Load().tls.Certificate); n != 3 {
		t.Errorf("the server sends %d certificates", n)
	}
}

// enrolls posts the host's one request.
func (h *machine) enrolls() result {
	h.w.t.Helper()
	if h.request == nil {
		r := h.enrollRequest(h.name)
		h.request = &r
	}
	got := h.w.post(enrollapi.PathEnroll, h.request)
	if got.status != http.StatusOK {
		h.w.t.Fatal(got.record)
	}
	return got
}

// intermediate makes an authority below the root, which issues from then on.
func (w *world) intermediate(name string) {
	w.t.Helper()
	path, err := w.service.Path(w.t.Context(), "")
	w.must(err)
	root, err := w.service.Authority(w.t.Context(), path)
	w.must(err)
	w.keys[name] = newKey(w.t)
	prepared, err := root.PrepareCA(w.keys[name].Public(), ca.AuthorityConfig{Subject: pkix.Name{CommonName: name}, Lifetime: 1000 * dayLong}, w.now())
	w.must(err)
	cert, _, err := w.service.IssueCA(w.t.Context(), prepared)
	w.must(err)
	_, err = w.service.AddIntermediate(w.t.Context(), ledger.Authority{Name: name, Certificate: cert, Parent: issuance.RootName}, false)
	w.must(err)
}

// TestDecisions: one record for a decision, with what is needed to find out more, on one line
// whatever was sent.
func TestDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name))
	for _, want := range []string{"level=INFO msg=granted", "method=POST", "path=/v1/enroll", "rule=issued", "proof=token", "name=web-01", "profile=workload", "serial=" + got.answer.Serial, " key=", "address=" + fromAddress, "ms=0"} {
		if !strings.Contains(got.record, want) {
			t.Errorf("no %s in %s", want, got.record)
		}
	}
	got = w.post(enrollapi.PathRenew, h.renewRequest("web-02\x1b[2K\nrule=issued", newKey(t)))
	for _, want := range []string{"level=WARN msg=refused", "path=/v1/renew", "rule=names-differ", "proof=renewal", "name=web-01", "old=" + ca.SerialHex(h.leaf)} {
		if !strings.Contains(got.record, want) {
			t.Errorf("no %s in %s", want, got.record)
		}
	}
	if strings.Count(got.record, "\n") != 1 || strings.Contains(got.record, "\x1b") {
		t.Errorf("%q", got.record)
	}
}

// TestUnavailable: an error of the CA itself is 503 with a time to wait, and none of its words leave
// the server.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	for name, tt := range map[string]struct {
		err  error
		code enrollapi.Code
	}{
		"other":       {errors.New("/var/lib/ca: secret words"), enrollapi.Unavailable},
		"unreachable": {&ledger.UnreachableError{Where: "db.internal", Err: errors.New("secret words")}, enrollapi.Unavailable},
		"busy":        {&ledger.BusyError{Where: "/var/lib/ca"}, enrollapi.Overloaded},
		"busy key":    {fmt.Errorf("secret words: %w", overloadedKey{errors.New("secret words")}), enrollapi.Overloaded},
		"clock":       {&ledger.ClockError{Where: "db.internal"}, enrollapi.Unavailable},
	} {
		recorder := httptest.NewRecorder()
		w.server.write(recorder, jsonProtocol(), nil, tt.err)
		text := recorder.Body.String()
		if recorder.Code != 503 || recorder.Header().Get("Retry-After") == "" || !strings.Contains(text, `"`+string(tt.code)+`"`) || strings.Contains(text, "secret") || strings.Contains(text, "/var") || strings.Contains(text, "internal\"") {
			t.Errorf("%s: %d %s", name, recorder.Code, text)
		}
	}
	w.keys = nil
	w.server.service = w.anotherService()
	if got := w.send("GET", enrollapi.PathReady, nil); got.status != 503 {
		t.Errorf("ready without a key: %d", got.status)
	}
	if got := w.send("GET", enrollapi.PathHealth, nil); got.status != 200 {
		t.Errorf("health without a key: %d", got.status)
	}
	if got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name)); got.err.Code != enrollapi.Unavailable || got.err.RetryAfter == 0 || w.used(h.token) != 0 {
		t.Errorf("%+v", got.err)
	}
}

// overloadedKey is the error of a key that has too much to do, as awskms.Error is.
type overloadedKey struct{ error }

func (overloadedKey) Overloaded() bool { return true }

// TestPlain: lists and certificates of the authorities, and nothing else that a path could name.
func TestPlain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	recorder := httptest.NewRecorder()
	w.server.Plain().ServeHTTP(recorder, httptest.NewRequest("GET", "/crl/ca.crl", nil))
	if recorder.Code != 404 {
		t.Errorf("before there is a list: %d", recorder.Code)
	}
	list := w.list(dayLong)
	other, err := New(Config{Service: w.anotherService(), Terms: w.terms(), Now: w.now})
	w.must(err)
	recorder = httptest.NewRecorder()
	other.Plain().ServeHTTP(recorder, httptest.NewRequest("GET", "/crl/ca.crl", nil))
	if recorder.Body.String() != string(list.DER) {
		t.Error("another server has another list")
	}
	for path, want := range map[string]string{
		"/crl/ca.crl": string(list.DER), "/ca/ca.cer": string(w.root().Raw),
		"/crl/other.crl": "", "/crl/../ca.crl": "", "/crl/ca": "", "/crl/": "", "/crl/.crl": "", "/ca/ca.pem": "", "/ca/ca.key": "", "/ca.cer": "", "/": "", "/crl/ca.cer": "", "/ca/..%2fca.cer": "",
		"/v1/enroll": "",
	} {
		recorder := httptest.NewRecorder()
		w.server.Plain().ServeHTTP(recorder, httptest.NewRequest("GET", "http://ca.example.com"+path, nil))
		data, _ := io.ReadAll(recorder.Result().Body)
		if found := recorder.Code == 200; found != (want != "") || found && string(data) != want || !found && recorder.Code != 404 {
			t.Errorf("%s: %d, %d bytes", path, recorder.Code, len(data))
		}
	}
	recorder = httptest.NewRecorder()
	w.server.Plain().ServeHTTP(recorder, httptest.NewRequest("POST", "/crl/ca.crl", nil))
	if recorder.Code != 405 || recorder.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", recorder.Code)
	}
}

// TestParallel: 50 uses of a token at the same time give one certificate, to one key.
func TestParallel(t *testing.T) {
	t.Parallel()
	for _, keys := range []int{1, 50} {
		w := newWorld(t)
		token := w.token(nil, "new-01")
		var all []enrollapi.EnrollRequest
		for range keys {
			h := &machine{w: w, name: "new-01", key: newKey(t), token: token}
			all = append(all, h.enrollRequest(h.name))
		}
		serials, refused := map[string]int{}, map[enrollapi.Code]int{}
		var mu sync.Mutex
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				got := w.post(enrollapi.PathEnroll, all[i%keys])
				mu.Lock()
				defer mu.Unlock()
				serials[got.answer.Serial]++
				refused[got.err.Code]++
			})
		}
		group.Wait()
		w.verified()
		delete(serials, "")
		if len(serials) != 1 || refused[""] != 50/keys || refused[enrollapi.TokenSpent] != 50-50/keys || len(w.leaves("new-01")) != 1 {
			t.Errorf("%d keys: %v, %v, %d certificates", keys, serials, refused, len(w.leaves("new-01")))
		}
	}
}
