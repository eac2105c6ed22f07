package enroll

import (
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/enrollapi"
)

// monitor asks the listener for metrics.
func (w *world) monitor(method, path string) (status int, text string) {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	w.server.Monitor().ServeHTTP(recorder, httptest.NewRequest(method, "http://127.0.0.1"+path, nil))
	return recorder.Code, recorder.Body.String()
}

// list makes the list of the root.
func (w *world) list(valid time.Duration) *issuance.CRL {
	w.t.Helper()
	made, err := w.service.PublishCRL(w.t.Context(), issuance.CRLRequest{Valid: valid}, func(*issuance.CRL) error { return nil })
	w.must(err)
	return made
}

func TestMonitor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.version = "1.2.3"
	w.must(w.server.RenewCertificate(t.Context()))
	h := w.machine("web-01")
	w.post(enrollapi.PathEnroll, h.enrollRequest(h.name))
	for range 2 {
		w.post(enrollapi.PathRenew, forged(h))
	}
	w.list(7 * dayLong)
	_, text := w.monitor("GET", "/metrics")
	for _, want := range []string{
		`kedge_ca_build_info{version="1.2.3",go="`, `kedge_ca_decisions_total{path="/v1/enroll",proof="token",code="granted",rule="issued"} 1`,
		`kedge_ca_decisions_total{path="/v1/renew",proof="renewal",code="bad_signature",rule="signature"} 2`,
		`kedge_ca_decision_seconds_bucket{path="/v1/renew",le="0.005"} 2`, `kedge_ca_decision_seconds_bucket{path="/v1/renew",le="+Inf"} 2`, `kedge_ca_decision_seconds_count{path="/v1/enroll"} 1`,
		"kedge_ca_ready 1\n", "kedge_ca_busy 0\n", "kedge_ca_requests_in_progress 0\n", "kedge_ca_clones 0\n", `kedge_ca_hosts_late{state="expired"} 0`,
		`kedge_ca_list_next_update_timestamp_seconds{authority="ca"} `, `kedge_ca_authority_expiration_timestamp_seconds{authority="ca"} `,
		"kedge_ca_server_certificate_expiration_timestamp_seconds ", "go_goroutines ",
	} {
		if !strings.Contains(text, "\n"+want) && !strings.HasPrefix(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "kedge1_") || len(strings.Fields(line)) < 2 {
			t.Errorf("%q", line)
		}
	}
	w.wait(25 * time.Hour)
	if _, text := w.monitor("GET", "/metrics"); !strings.Contains(text, `kedge_ca_hosts_late{state="expired"} `) || strings.Contains(text, `kedge_ca_hosts_late{state="expired"} 0`) {
		t.Errorf("an expired host:\n%s", text)
	}
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200}, {"HEAD", "/metrics", 200}, {"GET", "/readyz", 200}, {"POST", "/metrics", 405}, {"GET", "/", 404}, {"GET", "/v1/enroll", 404}, {"GET", "/crl/ca.crl", 404},
	} {
		if status, text := w.monitor(tt.method, tt.path); status != tt.status {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, status, text)
		}
	}
}

// broken is a key that does not sign any more.
type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the token was removed")
}

// TestReady: each reason for which a server cannot issue.
func TestReady(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil func(w *world)
		want  string // in the reason; empty: ready
	}{
		"all is well":              {func(*world) {}, ""},
		"no list, nothing revoked": {func(w *world) { w.wait(dayLong) }, ""},
		"a list":                   {func(w *world) { w.list(2 * dayLong); w.wait(dayLong) }, ""},
		"a list that has ended":    {func(w *world) { w.list(time.Hour); w.wait(2 * time.Hour) }, "the revocation list of ca has ended"},
		"no certificate":           {func(w *world) { w.server.certificate.Store(nil) }, "the server has no certificate"},
		"an expired certificate":   {func(w *world) { w.wait(40 * dayLong) }, "the server has no certificate"},
		"no ledger":                {func(w *world) { w.must(w.ledger.Close()) }, ""},
		"no key": {func(w *world) {
			w.keys = nil
			w.server.service = w.anotherService()
		}, `"ca"`},
		"a key that does not sign": {func(w *world) {
			w.keys[issuance.RootName] = broken{w.keys[issuance.RootName]}
			w.server.service = w.anotherService()
		}, "the token was removed"},
	} {
		w := newWorld(t)
		w.must(w.server.RenewCertificate(t.Context()))
		tt.spoil(w)
		status, text := w.monitor("GET", "/readyz")
		if ready := tt.want == "" && name != "no ledger"; (status == http.StatusOK) != ready || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

// signing counts signatures.
type signing struct {
	crypto.Signer
	n int
}

func (s *signing) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.n++
	return s.Signer.Sign(random, digest, o)
}

// TestReady_signatures: whoever asks all the time whether the server is ready does not wear out the
// key.
func TestReady_signatures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := &signing{Signer: w.keys[issuance.RootName]}
	w.keys[issuance.RootName] = key
	w.server.service = w.anotherService()
	w.must(w.server.RenewCertificate(t.Context()))
	before := key.n
	for range 100 {
		w.must(w.server.Ready(t.Context()))
	}
	if key.n != before+1 {
		t.Errorf("%d signatures", key.n-before)
	}
	w.wait(keyCheckTime)
	w.must(w.server.Ready(t.Context()))
	if key.n != before+2 {
		t.Errorf("%d signatures", key.n-before)
	}
}
