package enroll

import (
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// keyOf is ca.KeyHash in hexadecimal.
func keyOf(t *testing.T, key crypto.Signer) string {
	t.Helper()
	parsed, err := parseRequest(csr(t, key, "x"))
	if err != nil {
		t.Fatal(err)
	}
	var c call
	c.setKey(parsed)
	return c.key
}

// TestClone: when two hosts have had the same certificate, the log has one alarm with the keys and
// addresses of both; the host that was second is told what it is; and once the operator has said that
// it is the right one, the same request is granted, and the first host gets nothing more.
func TestClone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	firstKey, secondKey := newKey(t), newKey(t)
	first := w.post(enrollapi.PathRenew, h.renewRequest(h.name, firstKey), from("198.51.100.7:4711")).certificate(t)
	message := h.renewRequest(h.name, secondKey)
	got := w.post(enrollapi.PathRenew, message, from("192.0.2.9:4711"))
	presented, newest := w.leaves(h.name)[0], w.leaves(h.name)[1]
	for _, part := range []string{
		"level=ERROR msg=\"alarm: a certificate that was renewed came again with another key: ", "name=web-01", "presented=" + presented.Serial, "key=" + keyOf(t, secondKey), "address=192.0.2.9",
		"newest=" + newest.Serial, "newest_key=" + keyOf(t, firstKey), "newest_address=198.51.100.7",
	} {
		if !strings.Contains(got.record, part) {
			t.Errorf("no %q in the log: %s", part, got.record)
		}
	}
	if told := got.err.Message + got.err.Hint; got.err.Code != enrollapi.Clone || !strings.Contains(told, "restored from a snapshot") || !strings.Contains(told, "resolve NAME --keep "+presented.Serial) {
		t.Errorf("the host is told %+v", got.err)
	}
	if again := w.post(enrollapi.PathRenew, message, from("192.0.2.9:4711")); strings.Contains(again.record, "alarm") || again.rule != "clone" {
		t.Errorf("again: %s", again.record)
	}
	r, err := w.service.Resolve(t.Context(), h.name, presented.Serial, "the snapshot was restored")
	if err != nil || !r.Back || fmt.Sprintf("%x", r.Key) != keyOf(t, secondKey) || r.Address.String() != "192.0.2.9" {
		t.Fatalf("%+v, %v", r, err)
	}
	h.check(t, enrollapi.Revoked, (&machine{w: w, name: h.name, leaf: first, key: firstKey}).renewRequest(h.name, newKey(t)))
	h.check(t, enrollapi.Clone, h.renewRequest(h.name, newKey(t)))
	got = w.post(enrollapi.PathRenew, message)
	if got.status != http.StatusOK {
		t.Fatal(got.record)
	}
	h.check(t, enrollapi.Clone, h.renewRequest(h.name, newKey(t)))
	h.leaf, h.key = got.certificate(t), secondKey
	h.check(t, "", h.renewRequest(h.name, newKey(t)))
	w.verified()
}

func (h *machine) check(t *testing.T, want enrollapi.Code, message enrollapi.RenewRequest) {
	t.Helper()
	if got := h.w.post(enrollapi.PathRenew, message); got.err.Code != want {
		t.Errorf("%q, want %q: %s", got.err.Code, want, got.record)
	}
}

// TestRefused_otherHost: a host whose certificate is revoked, or whose name has another key, may be a copy: it is not
// told to take the name from the host that has it.
func TestRefused_otherHost(t *testing.T) {
	t.Parallel()
	for _, situation := range []string{"revoked", "held"} {
		w := newWorld(t)
		h := w.machine("web-01")
		situations()[situation](w, h)
		got := w.post(enrollapi.PathRenew, h.renewRequest(h.name, newKey(t)))
		if hint := got.err.Hint; !strings.HasPrefix(hint, "if no other host has the name now, ") || !strings.Contains(hint, "kedge-ca token NEW-NAME") {
			t.Errorf("%s, by %q: hint %q", situation, got.rule, hint)
		}
	}
}

// TestRefused_early: a host that is revoked, denied, out of service or a copy costs no signature of the
// CA's key, and neither does one whose answer was lost; the reason is the one of the ledger's transaction.
func TestRefused_early(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		before func(w *world, h *machine)
		code   enrollapi.Code
	}{
		"revoked":        {situations()["revoked"], enrollapi.Revoked},
		"denied":         {situations()["denied"], enrollapi.Denied},
		"held":           {situations()["held"], enrollapi.Ended},
		"decommissioned": {situations()["decommissioned"], enrollapi.Revoked},
		"beyond grace":   {situations()["expired"], enrollapi.BeyondGrace},
		"a copy":         {func(_ *world, h *machine) { h.renewed() }, enrollapi.Clone},
		"nothing":        {func(*world, *machine) {}, ""},
	} {
		w := newWorld(t)
		h := w.machine("web-01")
		tt.before(w, h)
		key := &counted{Signer: w.keys["ca"]}
		w.keys["ca"] = key
		w.server.service = w.anotherService()
		message := h.renewRequest(h.name, newKey(t))
		h.check(t, tt.code, message)
		if n, want := key.n.Load(), int64(1); (n == want) != (tt.code == "") {
			t.Errorf("%s: %d signatures", what, n)
		}
		if tt.code != "" {
			continue
		}
		h.check(t, "", message)
		if n := key.n.Load(); n != 1 {
			t.Errorf("%s: %d signatures with an answer that was lost", what, n)
		}
	}
}

// TestRefusals: strangers fill the log only so fast, and what is left out is counted; a host that has shown
// who it is, is always in the log.
func TestRefusals(t *testing.T) {
	t.Parallel()
	var r refusals
	at := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	refused := errors.New("x")
	logged := 0
	for range anonymousLines + 7 {
		if _, ok := r.admit(&call{}, refused, at); ok {
			logged++
		}
	}
	if logged != anonymousLines {
		t.Errorf("%d lines", logged)
	}
	for what, c := range map[string]struct {
		c   *call
		err error
	}{"granted": {&call{}, nil}, "named": {&call{name: "web-01"}, refused}, "with a profile": {&call{profile: "workload"}, refused}} {
		if left, ok := r.admit(c.c, c.err, at); !ok || left != 0 {
			t.Errorf("%s: %v, %d", what, ok, left)
		}
	}
	if left, ok := r.admit(&call{}, refused, at.Add(time.Minute)); !ok || left != 7 {
		t.Errorf("a minute later: %v, %d left out", ok, left)
	}
	for range anonymousLines - 1 {
		r.admit(&call{}, refused, at.Add(time.Minute))
	}
	if _, ok := r.admit(&call{proof: ca.ProofApproval, name: "web-01", profile: "workload"}, refused, at.Add(time.Minute)); ok {
		t.Error("a request for approval is logged beyond the limit")
	}
	w := newWorld(t)
	for range anonymousLines + 1 {
		w.post(enrollapi.PathEnroll, struct{}{})
	}
	asker := &machine{w: w, name: "new-01", key: newKey(t)}
	asking := asker.approvalRequest(asker.name)
	asking.Profile = "only-token"
	if got := asker.sends(asking); got.status != http.StatusForbidden {
		t.Errorf("status %d: %s", got.status, got.record)
	}
	if n, all := strings.Count(w.log.String(), "rule=token-unknown"), strings.Count(w.log.String(), "msg=refused"); n != anonymousLines || all != n {
		t.Errorf("the log has %d lines, of %d refusals", n, all)
	}
	w.wait(time.Minute)
	if got := w.post(enrollapi.PathEnroll, struct{}{}); !strings.Contains(got.record, "left_out=2") {
		t.Errorf("%s", got.record)
	}
	h := w.machine("web-01")
	if _, err := w.service.RevokeToken(t.Context(), h.token.ID, false, ""); err != nil {
		t.Fatal(err)
	}
	if got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name)); got.rule != "token-revoked" {
		t.Errorf("%s", got.record)
	}
}
