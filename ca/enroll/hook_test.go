package enroll

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// asking makes a hook the one of all profiles, and returns what it was asked.
func (w *world) asking(rule Ruling, err error) *[]Question {
	terms := *w.server.terms.Load()
	var asked []Question
	policies := map[string]Policy{}
	for name, p := range terms.Policies {
		p.Hook = func(_ context.Context, q Question) (Ruling, error) {
			asked = append(asked, q)
			return rule, err
		}
		policies[name] = p
	}
	terms.Policies = policies
	w.server.SetTerms(&terms)
	return &asked
}

// TestHook: a hook refuses and shortens what the policy allows, at both endpoints, and nothing else; what
// it said is in the ledger and the log. Without its answer nothing is issued.
func TestHook(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	const day = 24 * time.Hour
	for what, tt := range map[string]struct {
		rule     Ruling
		err      error
		want     cell
		lifetime time.Duration
		words    string
		message  string // of the refusal
	}{
		"allowed":       {rule: Ruling{Allow: true}, want: cell{rule: "issued"}, lifetime: day, words: "allowed"},
		"with a reason": {rule: Ruling{Allow: true, Reason: "known\x1b[2J"}, want: cell{rule: "issued"}, lifetime: day, words: "allowed: known [2J"},
		"shortened":     {rule: Ruling{Allow: true, Lifetime: time.Hour, Reason: "new"}, want: cell{rule: "issued"}, lifetime: time.Hour, words: "at most 1h: new"},
		"lengthened":    {rule: Ruling{Allow: true, Lifetime: 300 * day}, want: cell{rule: "issued"}, lifetime: day, words: "at most 300d"},
		"refused":       {rule: Ruling{Reason: "not in the inventory"}, want: cell{code: enrollapi.Denied, rule: "hook"}, message: "the policy of the CA refuses it: not in the inventory"},
		"just refused":  {rule: Ruling{Lifetime: time.Hour}, want: cell{code: enrollapi.Denied, rule: "hook"}, message: "the policy of the CA refuses it"},
		"a long reason": {rule: Ruling{Reason: strings.Repeat("é", 400)}, want: cell{code: enrollapi.Denied, rule: "hook"}, message: "the policy of the CA refuses it: " + strings.Repeat("é", maxReason/2)},
		"no answer":     {rule: Ruling{Allow: true}, err: errors.New("ended with 1"), want: cell{code: enrollapi.Unavailable, rule: "hook-failed"}, message: "the policy of the CA gives no answer at this moment"},
	} {
		for _, path := range []string{enrollapi.PathEnroll, enrollapi.PathRenew} {
			t.Run(strings.ReplaceAll(what, " ", "-")+path, func(t *testing.T) {
				t.Parallel()
				w := made.world(t)
				h := w.machine("web-01")
				asked := w.asking(tt.rule, tt.err)
				message := any(h.enrollRequest(h.name))
				if path == enrollapi.PathRenew {
					message = h.renewRequest(h.name, newKey(t))
				}
				got := w.check(h, tt.want, func() result { return w.post(path, message) })
				if len(*asked) != 1 || got.err.Message != tt.message || (got.header.Get("Retry-After") != "") != (tt.err != nil) {
					t.Errorf("asked %d times: %+v", len(*asked), got.err)
				}
				if tt.err != nil && !strings.Contains(got.record, tt.err.Error()) {
					t.Errorf("the log does not say why: %s", got.record)
				}
				if tt.want.code != "" {
					return
				}
				c := got.certificate(t)
				if lifetime := c.NotAfter.Sub(w.now()); lifetime != tt.lifetime {
					t.Errorf("valid for %v", lifetime)
				}
				e, err := w.service.Enrollment(t.Context(), w.leaves(h.name)[1])
				if err != nil || e.Hook != tt.words || !strings.Contains(got.record, "hook=") {
					t.Errorf("recorded %+v, %v; logged %s", e, err, got.record)
				}
				w.verified()
			})
		}
	}
}

// TestHook_asked: what a hook is asked; and that it is not asked about what the policy refuses.
func TestHook_asked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.asking(Ruling{Allow: true}, nil)
	h := &machine{w: w, name: "new-01", key: newKey(t), token: w.token(nil, "new-01")}
	for _, name := range []string{"web-02.example.com", "new-01.example.com"} {
		r := h.enrollRequest(h.name)
		r.Request, r.KeyPlace = csr(t, h.key, h.name, dns(name), ips(fromAddress), uris("spiffe://example.com/new-01")), ca.KeyInTPM
		if got := w.post(enrollapi.PathEnroll, r); (got.status == http.StatusOK) != (name == "new-01.example.com") {
			t.Fatal(got.record)
		}
	}
	if len(*asked) != 1 {
		t.Fatalf("asked %d times", len(*asked))
	}
	q := (*asked)[0]
	if q.Schema != 1 || q.Proof != ca.ProofToken || q.Name != "new-01" || len(q.DNS) != 1 || q.DNS[0] != "new-01.example.com" || len(q.IPs) != 1 || q.IPs[0] != fromAddress ||
		len(q.URIs) != 1 || q.Profile != "workload" || q.Address != fromAddress || q.KeyPlace != ca.KeyInTPM || q.KeyType != "P-256" || q.Key != keyOf(t, h.key) ||
		q.Renews != "" || q.Token != hex.EncodeToString(h.token.ID) {
		t.Errorf("%+v", q)
	}
	if _, err := parseRequest(q.Request); err != nil {
		t.Error(err)
	}
	h.leaf = w.issue("workload", ca.Request{Name: "db-01", Public: h.key.Public(), DNS: []string{"db-01.example.com"}})
	next := newKey(t)
	body := csr(t, next, "db-01", dns("db-01.example.com"))
	if got := w.post(enrollapi.PathRenew, enrollapi.RenewRequest{Request: body, Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, body)}); got.status != http.StatusOK {
		t.Fatal(got.record)
	}
	q = (*asked)[1]
	if q.Proof != ca.ProofRenewal || q.Name != "db-01" || len(q.DNS) != 1 || q.Renews != ca.SerialHex(h.leaf) || q.Key != keyOf(t, next) || q.Token != "" {
		t.Errorf("%+v", q)
	}
}
