package enroll

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/est"
)

// TestEST_paths: labels and operations that are there, and what the others are answered. Nothing of EST is
// there unless it is configured, and no path is in the metrics that is not there.
func TestEST_paths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	terms := w.terms()
	terms.Prefix = "/kedge"
	w.server.SetTerms(terms)
	paths := map[string]int{
		"/cacerts": 200, "/lines/cacerts": 200, "/csrattrs": 204, "/p256/csrattrs": 204, "/simpleenroll": 405, "/lines/simplereenroll": 405,
		"/fullcmc": 501, "/serverkeygen": 501, "/lines/fullcmc": 501,
		"/": 404, "//cacerts": 404, "/cacerts/": 404, "/nosuch/cacerts": 404, "/lines": 404, "/lines/": 404, "/lines/more/cacerts": 404, "/nosuch": 404, "/%1b%5b2K/cacerts": 404, "/CACERTS": 404,
	}
	for path, want := range paths {
		for _, prefix := range []string{"", "/kedge"} {
			got := w.sendEST(http.MethodGet, prefix+est.Path+path, nil)
			if got.status != want || want >= 400 && (got.header.Get("Content-Type") != "text/plain; charset=utf-8" || strings.TrimSpace(got.text) == "" || strings.Contains(got.text, "\x1b")) {
				t.Errorf("%s: %d, want %d: %q", path, got.status, want, got.text)
			}
		}
	}
	for _, operation := range []string{"fullcmc", "serverkeygen"} {
		if got := w.postEST(est.Path+"/"+operation, []byte{0x30, 0}); got.status != 501 {
			t.Errorf("POST %s: %d", operation, got.status)
		}
	}
	if got := w.postEST(est.Path+"/cacerts", nil); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST cacerts: %d, %v", got.status, got.header)
	}
	if got := w.sendEST(http.MethodGet, estEnroll, nil); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("GET simpleenroll: %d, %v", got.status, got.header)
	}
	if page := string(w.server.metrics(t.Context())); strings.Contains(page, "nosuch") {
		t.Error("the metrics have a path that is not there")
	}
	terms.EST = nil
	w.server.SetTerms(terms)
	for path := range paths {
		if got, _ := w.exchange(http.MethodGet, est.Path+path, nil); got.status != 404 {
			t.Errorf("%s without EST: %d", path, got.status)
		}
	}
}

// TestEST_caCertificates: the issuer and its root, and during a rotation the links between roots; the
// same bytes in lines where the label asks for that.
func TestEST_caCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.intermediate("sub")
	got, flat := w.exchange(http.MethodGet, est.Path+"/cacerts", nil)
	certs := estCerts(t, flat)
	if len(certs) != 2 || certs[0].Subject.CommonName != "sub" || !certs[1].Equal(w.root()) {
		t.Errorf("%d certificates, the first of %s", len(certs), certs[0].Subject)
	}
	if kind := got.header.Get("Content-Type"); kind != "application/pkcs7-mime; smime-type=certs-only" || got.header.Get("Content-Length") != fmt.Sprint(len(flat)) {
		t.Errorf("%v", got.header)
	}
	_, lines := w.exchange(http.MethodGet, est.Path+"/lines/cacerts", nil)
	if bytes.ContainsAny(flat, "\r\n") || !bytes.Equal(bytes.ReplaceAll(lines, []byte("\n"), nil), flat) {
		t.Errorf("%q\n%q", flat, lines)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(lines), "\n"), "\n") {
		if len(line) == 0 || len(line) > 64 {
			t.Errorf("a line of %d characters", len(line))
		}
	}
	// A HEAD has no body, as for all that is only read.
	if got, body := w.exchange(http.MethodHead, est.Path+"/csrattrs", nil); got.status != 204 || len(body) != 0 {
		t.Errorf("%d, %q", got.status, body)
	}
}

// TestEST_bodies: a request is read in each form that clients send, whatever they say of it, and what is no
// request is named.
func TestEST_bodies(t *testing.T) {
	t.Parallel()
	made, root := newTemplate(t), newWorld(t).root()
	flat := func(der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der)) }
	lines := func(der []byte) []byte { return est.Wrapped(der) }
	encoding := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Transfer-Encoding", text) }
	}
	kind := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", text) }
	}
	none := func(*http.Request) {}
	for name, tt := range map[string]struct {
		body   func(der []byte) []byte
		change func(*http.Request)
		status int
		rule   string
		says   string
	}{
		"base64":             {flat, none, 200, "issued", ""},
		"base64, lines":      {lines, none, 200, "issued", ""},
		"base64, CRLF":       {func(der []byte) []byte { return bytes.ReplaceAll(est.Wrapped(der), []byte("\n"), []byte("\r\n")) }, none, 200, "issued", ""},
		"base64, tabs":       {func(der []byte) []byte { return bytes.ReplaceAll(est.Wrapped(der), []byte("\n"), []byte("\t ")) }, none, 200, "issued", ""},
		"base64, no padding": {func(der []byte) []byte { return bytes.TrimRight(flat(der), "=") }, none, 200, "issued", ""},
		"PEM": {func(der []byte) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
		}, none, 200, "issued", ""},
		"PEM, NEW": {func(der []byte) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "NEW CERTIFICATE REQUEST", Bytes: der})
		}, none, 200, "issued", ""},
		"DER":                          {bytes.Clone, none, 200, "issued", ""},
		"DER that is said to be":       {bytes.Clone, encoding("binary"), 200, "issued", ""},
		"DER that is said to be other": {bytes.Clone, encoding("base64"), 200, "issued", ""},
		"said to be base64":            {flat, encoding("base64"), 200, "issued", ""},
		"said to be Base64":            {flat, encoding("Base64 "), 200, "issued", ""},
		"said to be binary":            {flat, encoding("BINARY"), 200, "issued", ""},
		"said to be nonsense":          {flat, encoding("x-uuencode; a=b"), 200, "issued", ""},
		"with a parameter":             {flat, kind(`application/pkcs10; charset="utf-8"`), 200, "issued", ""},
		"type in capitals":             {flat, kind("Application/PKCS10"), 200, "issued", ""},

		"type of forms":   {flat, kind("application/x-www-form-urlencoded"), 400, "content-type", "the Content-Type must be application/pkcs10"},
		"type of PKCS #7": {flat, kind("application/pkcs7-mime"), 400, "content-type", "application/pkcs10"},
		"type of JSON":    {flat, kind("application/json"), 400, "content-type", "application/pkcs10"},
		"no type":         {flat, kind(""), 400, "content-type", "application/pkcs10"},
		"empty":           {func([]byte) []byte { return nil }, none, 400, "request-form", "it is empty"},
		"white space":     {func([]byte) []byte { return []byte("\r\n \r\n") }, none, 400, "request-form", "it is empty"},
		"JSON":            {func([]byte) []byte { return []byte(`{"request": "AA=="}`) }, none, 400, "request-form", "there is no certificate request"},
		"a certificate":   {func([]byte) []byte { return flat(root.Raw) }, none, 400, "request-form", "not a certificate request"},
		"cut":             {func(der []byte) []byte { return flat(der[:len(der)/2]) }, none, 400, "request-form", "cut short"},
		"two":             {func(der []byte) []byte { return flat(append(bytes.Clone(der), der...)) }, none, 400, "request-form", "more than one"},
		"PKCS #7": {func(der []byte) []byte {
			message, err := est.CertsOnly(der)
			if err != nil {
				panic(err)
			}
			return flat(message)
		}, none, 400, "request-form", "it is a PKCS #7 message, not a certificate request"},
		"too large": {func(der []byte) []byte { return append(flat(der), bytes.Repeat([]byte("\n"), 64<<10)...) }, none, 413, "body", "more than 65536 bytes"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := made.world(t)
			h := &machine{w: w, name: "new-01", key: newKey(t)}
			h.token = w.token(nil, h.name)
			got := w.sendEST(http.MethodPost, estEnroll, tt.body(csr(t, h.key, h.name)), byBasic(h.token), tt.change)
			if got.status != tt.status || got.rule != tt.rule || !strings.Contains(got.text, tt.says) {
				t.Errorf("%d by %q, want %d by %q: %s", got.status, got.rule, tt.status, tt.rule, got.text)
			}
			if used := w.used(h.token); (used == 1) != (tt.status == 200) {
				t.Errorf("the token was used %d times", used)
			}
		})
	}
}

// TestEST_basic: credentials that are none get 401, which asks for a token; the user name counts for nothing.
func TestEST_basic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := &machine{w: w, name: "new-01", key: newKey(t)}
	h.token = w.token(nil, h.name)
	body := csr(t, h.key, h.name)
	r, err := http.NewRequest(http.MethodPost, "/", nil)
	w.must(err)
	byBasic(h.token)(r)
	_, text, _ := r.BasicAuth()
	header := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", text) }
	}
	basic := func(user, password string) func(*http.Request) {
		return header("Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
	for name, tt := range map[string]struct {
		change func(*http.Request)
		rule   string
		says   string
	}{
		"bearer":               {header("Bearer " + text), "basic", "must be HTTP Basic"},
		"digest":               {header(`Digest username="web-01"`), "basic", "must be HTTP Basic"},
		"not base64":           {header("Basic ***"), "basic", "must be HTTP Basic"},
		"no colon":             {header("Basic " + base64.StdEncoding.EncodeToString([]byte(text))), "basic", "must be HTTP Basic"},
		"no password":          {basic("web-01", ""), "basic", "the token is empty"},
		"a password":           {basic("web-01", "hunter2"), "basic", "the token does not start with kedge1_"},
		"the token as a name":  {basic(text, ""), "basic", "the token is empty"},
		"a cut token":          {basic("web-01", text[:len(text)-2]), "basic", "the token is not complete"},
		"a colon in the name":  {basic("urn:dev:1", text), "basic", "cannot have a colon"},
		"a token of elsewhere": {byBasic(newWorld(t).token(nil, h.name)), "token-unknown", "the token is not one of this CA"},
	} {
		got := w.postEST(estAt("only-renewal"), body, tt.change)
		if got.status != 401 || got.rule != tt.rule || !strings.Contains(got.text, tt.says) || got.header.Get("WWW-Authenticate") != `Basic realm="kedge-ca", charset="UTF-8"` {
			t.Errorf("%s: %d by %q: %s", name, got.status, got.rule, got.text)
		}
		if strings.Contains(got.text+got.record, "hunter2") || strings.Contains(got.text+got.record, text[:40]) {
			t.Errorf("%s: a secret in %s%s", name, got.text, got.record)
		}
	}
	// Clients that send nothing until they are asked: curl --anyauth, libest.
	if got := w.postEST(estAt("only-renewal"), nil); got.status != 401 || got.rule != "credentials" {
		t.Errorf("%d by %q", got.status, got.rule)
	}
	for _, user := range []string{"", "web-99", "Gerät\x01"} {
		if got := w.postEST(estEnroll, body, basic(user, text)); got.status != 200 {
			t.Errorf("%q: %s", user, got.record)
		}
	}
}

// TestEST_proxy: behind a proxy that ends TLS nothing shows a client's certificate, neither what the proxy sends
// nor the certificate that the proxy itself shows.
func TestEST_proxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	proxied := func(r *http.Request) { // by no proxy that is trusted
		byLeaf(h.leaf)(r)
		r.Header.Set("X-Forwarded-For", fromAddress)
	}
	seq := w.seq()
	got := w.postEST(estReenroll, csr(t, newKey(t), h.name), proxied)
	if got.status != 403 || got.rule != "proxy" || !strings.Contains(got.text, "mTLS ends there") {
		t.Errorf("%d by %q: %s", got.status, got.rule, got.text)
	}
	if got := w.postEST(estEnroll, csr(t, newKey(t), h.name), proxied); got.status != 202 || got.rule != ruleWaits {
		t.Errorf("%d by %q: %s", got.status, got.rule, got.text)
	}
	if got := w.postEST(estReenroll, csr(t, newKey(t), h.name), asProxy(h)); got.rule != "proxy" {
		t.Errorf("%d by %q: %s", got.status, got.rule, got.text)
	}
	if got := w.postEST(estReenroll, csr(t, newKey(t), h.name)); got.rule != "no-certificate" || !strings.Contains(got.text, "if there is a proxy") {
		t.Errorf("%d by %q: %s", got.status, got.rule, got.text)
	}
	if w.seq() != seq {
		t.Error("something was issued")
	}
	if got := w.postEST(estEnroll, csr(t, newKey(t), "new-01"), proxied, byBasic(w.token(nil, "new-01"))); got.rule != "issued" {
		t.Errorf("with a token: %s", got.record)
	}
	// One that passes TLS on adds no header.
	if got := w.postEST(estReenroll, csr(t, newKey(t), h.name), byLeaf(h.leaf), func(r *http.Request) { r.RemoteAddr = "10.9.9.9:4000" }); got.rule != "issued" {
		t.Errorf("through a proxy of TCP: %s", got.record)
	}
	w.limit(Limits{}, Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.9.9.9/32")}})
	if got := w.postEST(estReenroll, csr(t, newKey(t), h.name), byLeaf(h.leaf), func(r *http.Request) { r.RemoteAddr = "10.9.9.9:4000" }); got.rule != "proxy" {
		t.Errorf("from a trusted proxy without headers: %s", got.record)
	}
}

// TestEST_challenge: a device that shows a certificate which is not renewed is asked for a token, and enrolls
// with it while it shows that.
func TestEST_challenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revoked := w.machine("web-01")
	w.revoke(revoked.leaf, ca.Superseded)
	for token, own := range map[string]*machine{"new-01": newWorld(t).machine("dev-01"), "new-02": revoked} {
		request := csr(t, newKey(t), own.name)
		got := w.postEST(estEnroll, request, byLeaf(own.leaf))
		if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" || !strings.Contains(got.text, "the certificate") {
			t.Errorf("%s: %d by %q, %v: %s", own.name, got.status, got.rule, got.header, got.text)
		}
		if got := w.postEST(estReenroll, request, byLeaf(own.leaf)); got.status != http.StatusForbidden || !strings.Contains(got.text, "HTTP Basic at simpleenroll") {
			t.Errorf("%s: the renewal is answered %d by %q: %s", own.name, got.status, got.rule, got.text)
		}
		if got := w.postEST(estEnroll, csr(t, newKey(t), token), byLeaf(own.leaf), byBasic(w.token(nil, token))); got.rule != "issued" {
			t.Errorf("%s, with a token: %s", own.name, got.record)
		}
	}
}

// TestEST_hints: what is refused to a device names what the device or the operator can do, and no command of
// kedge, which is not there.
func TestEST_hints(t *testing.T) {
	t.Parallel()
	for rule, tt := range map[string]struct {
		before func(w *world, h *machine) (name string, key crypto.Signer) // of the request
		hint   string
	}{
		"clone": {func(w *world, h *machine) (string, crypto.Signer) {
			w.postEST(estReenroll, csr(w.t, newKey(w.t), h.name), byLeaf(h.leaf)).certificate(w.t)
			return h.name, newKey(w.t)
		}, "if the device has a newer certificate, have it present that one; "},
		"names-differ": {func(w *world, _ *machine) (string, crypto.Signer) { return "other", newKey(w.t) }, "send the names of the certificate; "},
		"key-revoked": {func(w *world, h *machine) (string, crypto.Signer) {
			other := w.machine("web-02")
			w.revoke(other.leaf, ca.KeyCompromise)
			return h.name, other.key
		}, "make a new key in the device; "},
		"beyond-grace": {func(w *world, h *machine) (string, crypto.Signer) {
			w.wait(30 * dayLong)
			return h.name, newKey(w.t)
		}, "give a token as the password of HTTP Basic at simpleenroll: "},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			h := w.machine("web-01")
			name, key := tt.before(w, h)
			got := w.postEST(estReenroll, csr(t, key, name), byLeaf(h.leaf))
			if lines := strings.Split(got.text, "\n"); got.rule != rule || len(lines) != 3 || !strings.HasPrefix(lines[1], tt.hint) {
				t.Errorf("by %q: %s", got.rule, got.text)
			}
		})
	}
}

// TestEST_oldCertificate: a device that makes a new key and presents the certificate that it has renewed is not
// told that an answer was lost or that there is another host, which nobody can know; and it goes on, with that
// key, once the operator has decided so.
func TestEST_oldCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	w.postEST(estReenroll, csr(t, newKey(t), h.name), byLeaf(h.leaf)).certificate(t)
	request := csr(t, newKey(t), h.name)
	got := w.postEST(estReenroll, request, byLeaf(h.leaf))
	const why = "it made a new key and still presents its old certificate"
	if got.rule != "clone" || !strings.Contains(got.text, why) || !strings.Contains(got.record, "its host made a new key and still presents the old certificate") {
		t.Errorf("by %q: %s\n%s", got.rule, got.text, got.record)
	}
	serial := ca.SerialHex(h.leaf)
	if !strings.Contains(got.text, "kedge-ca resolve NAME --keep "+serial+";") {
		t.Errorf("%s", got.text)
	}
	_, err := w.service.Resolve(t.Context(), h.name, serial, "the device was set up anew")
	w.must(err)
	w.postEST(estReenroll, request, byLeaf(h.leaf)).certificate(t)
}

// TestEST_limits: a device whose certificate is due renews it, however many others have its address.
func TestEST_limits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("due")
	w.wait(17 * time.Hour)
	early := w.machine("early")
	w.limit(Limits{Address: Rate{PerSecond: 0.001, Burst: 1}, Host: Rate{PerSecond: 0.001, Burst: 1}}, Proxies{})
	for i, want := range []string{"issued", "address-limit"} {
		if got := w.postEST(estReenroll, csr(t, newKey(t), "early"), byLeaf(early.leaf)); got.rule != want {
			t.Errorf("%d: %s", i, got.record)
		}
	}
	got := w.postEST(estEnroll, csr(t, newKey(t), "x"), byBasic(w.token(nil, "x")))
	if got.status != 429 || got.rule != "address-limit" || got.header.Get("Retry-After") == "" {
		t.Errorf("%d by %s", got.status, got.rule)
	}
	if got := w.postEST(estReenroll, csr(t, newKey(t), h.name), byLeaf(h.leaf)); got.rule != "issued" {
		t.Errorf("due: %s", got.record)
	}
}

// TestEST_known: a device that renews is seen, as a host of kedge is; where its key is, nobody has said.
func TestEST_known(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	got := w.postEST(estReenroll, csr(t, newKey(t), h.name), byLeaf(h.leaf))
	for _, want := range []string{"msg=granted", "path=" + estReenroll, "proof=renewal", "name=web-01", "old=" + ca.SerialHex(h.leaf)} {
		if !strings.Contains(got.record, want) {
			t.Errorf("no %s in %s", want, got.record)
		}
	}
	if all := w.server.contacts.take(); len(all) != 1 || all[0].Name != "web-01" {
		t.Errorf("%+v", all)
	}
}
