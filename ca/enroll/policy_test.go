package enroll

import (
	"net/netip"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// TestPolicy_commonName: a token has common names, to which the template of the profile has been applied
// already, and it is not applied to them again; a request has a name, as for kedge-ca sign.
func TestPolicy_commonName(t *testing.T) {
	t.Parallel()
	config := ca.DefaultProfileConfig()
	config.Subject.CommonName = "{name}.example.com"
	profile, err := ca.NewProfile("workload", config)
	if err != nil {
		t.Fatal(err)
	}
	policy := Policy{Profile: profile, Proofs: []string{ca.ProofToken}}
	for _, requested := range []string{"", "web-02"} {
		parsed, err := parseRequest(csr(t, newKey(t), requested))
		if err != nil {
			t.Fatal(err)
		}
		request, err := policy.request(&identity{proof: ca.ProofToken, token: ledger.Token{Names: []string{"web-02.example.com"}}}, parsed, netip.Addr{})
		if err != nil || profile.CommonName(request.Name) != "web-02.example.com" {
			t.Errorf("requested %q: the certificate would be for %q, %v", requested, profile.CommonName(request.Name), err)
		}
	}
}

// TestPolicy_proofHint: a host whose proof the profile does not allow is told which setting decides it.
func TestPolicy_proofHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	r := h.approvalRequest(h.name)
	r.Profile = "only-token"
	if got := w.post(enrollapi.PathRequest, r); got.rule != "proof-not-allowed" || !strings.Contains(got.err.Hint, "proofs, under enroll of the profile in kedge-ca.yaml") {
		t.Errorf("by %q: hint %q", got.rule, got.err.Hint)
	}
}
