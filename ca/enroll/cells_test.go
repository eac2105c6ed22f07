package enroll

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// cell is one place of the table: what a request gets, by which rule.
type cell struct {
	code enrollapi.Code // empty: it is granted
	rule string
	same bool // although granted, nothing is written
}

// situations are what happened to a host before its request.
func situations() map[string]func(w *world, h *machine) {
	return map[string]func(w *world, h *machine){
		"own name":   func(*world, *machine) {},
		"other name": func(*world, *machine) {}, // see messages
		"replayed":   func(*world, *machine) {}, // see TestTable
		"held": func(w *world, h *machine) {
			w.issue("workload", ca.Request{Name: h.name, Public: newKey(w.t).Public()})
		},
		"revoked": func(w *world, h *machine) {
			w.revoke(h.leaf, ca.Superseded)
			_, err := w.service.RevokeToken(w.t.Context(), h.token.ID, false, "")
			w.must(err)
			if h.approved != "" {
				_, err := w.service.DenyRequest(w.t.Context(), h.approved, "")
				w.must(err)
			}
		},
		"expired": func(w *world, _ *machine) { w.wait(10 * dayLong) },
		"denied":  func(w *world, h *machine) { w.must(w.service.DenyRenewal(w.t.Context(), h.name, "")) },
		"other CA": func(w *world, h *machine) {
			other := newWorld(w.t).machine(h.name)
			h.key, h.leaf, h.token = other.key, other.leaf, other.token
		},
		"decommissioned": func(w *world, h *machine) {
			_, err := w.service.Decommission(w.t.Context(), h.name, "")
			w.must(err)
		},
	}
}

// messages are the proofs that a host can send, to whatever endpoint.
func messages(h *machine, name string) map[string]any {
	token, renewal, unenrollment := h.enrollRequest(name), h.renewRequest(name, newKey(h.w.t)), h.unenrollRequest()
	sameKey := h.renewRequest(name, h.key)
	return map[string]any{
		"none":     struct{}{},
		"header":   struct{}{}, // of a proxy: see TestTable
		"token":    token,
		"renewal":  renewal,
		"unenroll": unenrollment,
		"approval": h.approvalRequest(name),
		"both":     joined(h.w, sameKey, enrollapi.EnrollRequest{Token: token.Token, Request: sameKey.Request}),
	}
}

// joined has the fields of both messages.
func joined(w *world, messages ...any) map[string]any {
	all := map[string]any{}
	for _, message := range messages {
		data, err := json.Marshal(message)
		w.must(err)
		var fields map[string]any
		w.must(json.Unmarshal(data, &fields))
		maps.Copy(all, fields)
	}
	return all
}

// wanted returns what the proof gets at the endpoint.
func wanted(proof, path, situation string) cell {
	noToken := cell{code: enrollapi.BadToken, rule: "token-unknown"}
	unknown := cell{code: enrollapi.UnknownCertificate, rule: "unknown-certificate"}
	forged := cell{code: enrollapi.BadSignature, rule: "signature"}
	if path == enrollapi.PathRequest {
		return byRequest(proof, situation)
	}
	if isEST(path) {
		return byEST(proof, path, situation)
	}
	possession := proof == "renewal" || proof == "both" || proof == "unenroll"
	switch {
	case path == enrollapi.PathEnroll && (proof == "token" || proof == "both"):
		return byToken()[situation]
	case path == enrollapi.PathEnroll:
		return noToken
	case !possession || situation == "other CA":
		return unknown
	case path == enrollapi.PathRenew && proof == "both" && situation == "decommissioned": // it keeps its key
		return cell{code: enrollapi.KeyRevoked, rule: "key-revoked"}
	case path == enrollapi.PathRenew && proof != "unenroll":
		return byRenewal()[situation]
	case path == enrollapi.PathUnenroll && proof == "unenroll":
		return byUnenrollment()[situation]
	}
	return forged // signed for another endpoint
}

func byToken() map[string]cell {
	return map[string]cell{
		"own name": {rule: "issued"}, "other name": {code: enrollapi.NameNotAllowed, rule: "token-name"}, "replayed": {rule: "issued-before", same: true},
		"held": {code: enrollapi.Held, rule: "held"}, "revoked": {code: enrollapi.TokenRevoked, rule: "token-revoked"},
		"expired": {code: enrollapi.TokenExpired, rule: "token-expired"}, "denied": {code: enrollapi.Denied, rule: "denied"},
		"other CA": {code: enrollapi.BadToken, rule: "token-unknown"}, "decommissioned": {code: enrollapi.TokenRevoked, rule: "token-revoked"},
	}
}

func byRenewal() map[string]cell {
	return map[string]cell{
		"own name": {rule: "issued"}, "other name": {code: enrollapi.NameNotAllowed, rule: "names-differ"}, "replayed": {rule: "issued-before", same: true},
		"held": {code: enrollapi.Ended, rule: "ended"}, "revoked": {code: enrollapi.Revoked, rule: "revoked"},
		"expired": {code: enrollapi.BeyondGrace, rule: "beyond-grace"}, "denied": {code: enrollapi.Denied, rule: "denied"},
		"decommissioned": {code: enrollapi.Revoked, rule: "revoked"},
	}
}

func byUnenrollment() map[string]cell {
	return map[string]cell{
		"own name": {rule: "unenrolled"}, "other name": {rule: "unenrolled"}, "replayed": {code: enrollapi.Revoked, rule: "revoked"},
		"held": {code: enrollapi.Ended, rule: "ended"}, "revoked": {code: enrollapi.Revoked, rule: "revoked"},
		"expired": {rule: "unenrolled"}, "denied": {rule: "unenrolled"}, "decommissioned": {code: enrollapi.Revoked, rule: "revoked"},
	}
}

// TestTable: every proof at every endpoint in every situation gets the answer of the table, by the
// rule of the table. What is refused writes nothing and spends no token. No message is good without a
// proof (CVE-2026-30836), no credential at another endpoint (CVE-2025-44005), and no host gets another's
// name (CVE-2021-27098).
func TestTable(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	cells := 0
	for _, path := range []string{enrollapi.PathEnroll, enrollapi.PathRequest, enrollapi.PathRenew, enrollapi.PathUnenroll, estEnroll, estReenroll} {
		for _, proof := range []string{"none", "header", "token", "approval", "renewal", "unenroll", "both"} {
			for situation, happens := range situations() {
				cells++
				t.Run(strings.ReplaceAll(pathName(path)+"/"+proof+"/"+situation, " ", "-"), func(t *testing.T) {
					t.Parallel()
					w := made.world(t)
					h := w.machine("web-01")
					h.est = isEST(path)
					h.approve()
					happens(w, h)
					name := h.name
					if situation == "other name" {
						name = "web-02"
					}
					send := w.message(path, proof, h, name)
					if situation == "replayed" {
						send()
					}
					w.check(h, wanted(proof, path, situation), send)
				})
			}
		}
	}
	if cells < 370 {
		t.Errorf("%d cells", cells)
	}
}

// message makes what a host sends with a proof to an endpoint, for a name, and returns what sends it.
func (w *world) message(path, proof string, h *machine, name string) func() result {
	var headers []func(*http.Request)
	if proof == "header" {
		headers = append(headers, asProxy(h))
	}
	if isEST(path) {
		body, change := h.estMessage(proof, name)
		return func() result { return w.postEST(path, body, append(headers, change...)...) }
	}
	message := messages(h, name)[proof]
	return func() result { return w.post(path, message, headers...) }
}

// asProxy adds what a proxy that ends TLS would say of a client's certificate.
func asProxy(h *machine) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-SSL-Client-Cert", base64.StdEncoding.EncodeToString(h.leaf.Raw))
		r.Header.Set("X-SSL-Client-Verify", "SUCCESS")
		r.Header.Set("X-SSL-Client-S-DN", h.leaf.Subject.String())
		r.Header.Set("X-Forwarded-Client-Cert", base64.StdEncoding.EncodeToString(h.leaf.Raw))
		r.Header.Set("X-Forwarded-For", "127.0.0.1")
	}
}

// check sends a request and compares what it gets, and what it changes, with a cell.
func (w *world) check(h *machine, want cell, send func() result) result {
	w.t.Helper()
	seq, used := w.seq(), w.used(h.token)
	got := send()
	if got.text != "" { // EST has no codes
		got.err = enrollapi.Error{Code: want.code, Message: got.text}
	}
	if got.err.Code != want.code || got.rule != want.rule {
		w.t.Errorf("answer %q by rule %q, want %q by %q: %s", got.err.Code, got.rule, want.code, want.rule, got.record)
	}
	if granted := got.status == http.StatusOK || got.status == http.StatusAccepted; granted != (want.code == "") || !granted && got.status != got.err.Code.Status() {
		w.t.Errorf("status %d with code %q: %s", got.status, got.err.Code, got.record)
	}
	if want.code != "" && got.err.Message == "" {
		w.t.Error("a refusal without words")
	}
	if changed := w.seq() != seq; changed != (want.code == "" && !want.same) && want.rule != "clone" {
		w.t.Errorf("the ledger went from %d to %d", seq, w.seq())
	}
	if want.code != "" && w.used(h.token) != used {
		w.t.Error("a refused request has spent the token")
	}
	if got.header.Get("Date") != w.now().Format(http.TimeFormat) {
		w.t.Errorf("the date %q", got.header.Get("Date"))
	}
	secret := h.token.Secret.Bytes()
	for _, text := range []string{string(secret), base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret)} {
		if strings.Contains(w.log.String(), text) {
			w.t.Error("the log has the secret of a token")
		}
	}
	return got
}
