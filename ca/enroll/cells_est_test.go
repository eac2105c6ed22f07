package enroll

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// TestEST_enroll: what a host gets by a token is the same by EST, and by the same rule (CVE-2020-28942).
func TestEST_enroll(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	other := map[string]cell{"PEM": {rule: "issued"}, "a request with more behind it": {rule: "issued"}} // read as people have them
	for _, tt := range enrollments() {
		if tt.name == "short ID" || tt.name == "an unknown place" { // no token has that, and EST has no place
			continue
		}
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w, h, r := made.newcomer(t)
			tt.change(w, h, r)
			want := tt.want
			if c, ok := other[tt.name]; ok {
				want = c
			}
			got := w.check(h, want, func() result { return w.postEST(estEnroll, r.Request, byBasic(r.Token)) })
			if want.code == "" && !ca.SameKey(got.certificate(t).PublicKey, h.key.Public()) {
				t.Errorf("a certificate for %q", got.certificate(t).Subject)
			}
		})
	}
}

// TestEST_reenroll: what a host gets by its certificate is the same by EST, whichever operation it uses: but
// for what is about kedge's own signature, instead of which there is that of TLS.
func TestEST_reenroll(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	for _, tt := range renewals() {
		switch tt.want.rule {
		case "signature", "clock", "proof", "audience", "key-place":
			continue
		}
		if strings.HasPrefix(tt.name, "signed ") || tt.name == "no certificate" || tt.name == "a certificate with one byte more" {
			continue
		}
		for _, path := range []string{estReenroll, estEnroll} {
			t.Run(strings.ReplaceAll(pathName(path)+"/"+tt.name, " ", "-"), func(t *testing.T) {
				t.Parallel()
				w := made.world(t)
				h := w.machine("web-01")
				r := tt.send(w, h)
				got := w.check(h, challenged(path, tt.want), func() result { return w.postEST(path, r.Request, byLeaf(h.leaf)) })
				if tt.want.code == "" && got.certificate(t).Subject.String() != h.leaf.Subject.String() {
					t.Errorf("a certificate for %q", got.certificate(t).Subject)
				}
			})
		}
	}
}

// challenged is what is wanted of a certificate at a path: at simpleenroll one that is refused is answered by
// 401.
func challenged(path string, want cell) cell {
	switch want.code {
	case enrollapi.UnknownCertificate, enrollapi.Revoked, enrollapi.Ended, enrollapi.BeyondGrace:
		if path == estEnroll {
			want.code = enrollapi.BadToken
		}
	}
	return want
}

// TestEST_request: a device without credentials waits for approval as a host does, if the profile of the
// label allows that; if not, it is asked for credentials.
func TestEST_request(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	waits, credentials := cell{rule: ruleWaits, same: true}, cell{code: enrollapi.BadToken, rule: "credentials"}
	other := map[string]cell{
		"PEM": waits, "a request with more behind it": waits,
		"a profile without approval": credentials, "a profile without proofs": credentials, "a profile that is not there": credentials, "no default profile": credentials,
	}
	for _, tt := range askings() {
		if tt.name == "an unknown place" {
			continue
		}
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := made.world(t)
			h := &machine{w: w, name: "new-01", key: newKey(t), est: true}
			r := h.approvalRequest(h.name)
			tt.change(w, h, &r)
			want := tt.want
			if c, ok := other[tt.name]; ok {
				want = c
			}
			got := w.check(h, want, func() result { return h.sends(r) })
			if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (want == credentials) {
				t.Errorf("WWW-Authenticate: %q", challenge)
			}
			if got.status == http.StatusAccepted {
				checkListed(t, w, got)
			}
		})
	}
}

// checkListed checks that the operator sees a request that waits, by the ID in the answer.
func checkListed(t *testing.T, w *world, got result) {
	t.Helper()
	if got.header.Get("Retry-After") != "5" {
		t.Errorf("Retry-After: %q", got.header.Get("Retry-After"))
	}
	for r, err := range w.service.Requests(t.Context()) {
		w.must(err)
		if hex.EncodeToString(r.ID) == got.waits.ID {
			return
		}
	}
	t.Errorf("the operator does not see %s", got.waits.ID)
}

// TestEST_label: at a label with a profile no other is issued, whatever the proof.
func TestEST_label(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	refused := cell{code: enrollapi.Denied, rule: "label-profile"}
	for name, tt := range map[string]struct {
		label, proof string
		want         cell
	}{
		"token of the profile": {"workload", "token", cell{rule: "issued"}}, "token of another": {"p256", "token", refused},
		"certificate of the profile": {"workload", "renewal", cell{rule: "issued"}}, "certificate of another": {"p256", "renewal", refused},
		"of a profile that is gone": {"gone", "token", refused}, "no profile": {"lines", "token", cell{rule: "issued"}},
		"approved without a label": {"p256", "approval", cell{rule: ruleWaits, same: true}}, "approved for another label": {"workload", "approval", cell{rule: ruleWaits, same: true}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := made.world(t)
			h := w.machine("web-01")
			h.est = true
			h.approve()
			body, change := h.estMessage(tt.proof, h.name)
			w.check(h, tt.want, func() result { return w.postEST(estAt(tt.label), body, change...) })
		})
	}
}
