package enroll

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

func (h *machine) approvalRequest(name string) enrollapi.ApprovalRequest {
	return enrollapi.ApprovalRequest{Request: csr(h.w.t, h.key, name), KeyPlace: ca.KeyInFile}
}

// asks sends a request, which then waits.
func (h *machine) asks(r enrollapi.ApprovalRequest) (id string) {
	h.w.t.Helper()
	got := h.sends(r)
	if got.status != http.StatusAccepted {
		h.w.t.Fatalf("status %d: %s", got.status, got.record)
	}
	return got.waits.ID
}

// sends sends a request for approval, by the protocol of the host.
func (h *machine) sends(r enrollapi.ApprovalRequest) result {
	h.w.t.Helper()
	if h.est {
		return h.w.postEST(estAt(r.Profile), r.Request)
	}
	return h.w.post(enrollapi.PathRequest, r)
}

// approve asks for the host's name, and approves that.
func (h *machine) approve() {
	h.w.t.Helper()
	h.approveID(h.asks(h.approvalRequest(h.name)))
}

func (h *machine) approveID(id string) {
	h.w.t.Helper()
	h.approved = id
	_, err := h.w.service.Approve(h.w.t.Context(), id, issuance.Approval{Lifetime: dayLong})
	h.w.must(err)
}

// byRequest returns what a proof gets at the endpoint for requests. A request is in the messages with a
// token and with a renewal, too; of these, the latter is by a key for which nothing was approved.
func byRequest(proof, situation string) cell {
	switch proof {
	case "none", "header", "unenroll":
		return cell{code: enrollapi.BadRequest, rule: "request-form"}
	case "renewal":
		return byNewRequest()[situation]
	}
	return byApproval()[situation]
}

func byApproval() map[string]cell {
	waits := cell{rule: ruleWaits, same: true}
	return map[string]cell{
		"own name": {rule: "issued"}, "other name": waits, "replayed": {rule: "issued-before", same: true},
		"held": {code: enrollapi.Held, rule: "held"}, "revoked": {code: enrollapi.RequestDenied, rule: "request-denied"},
		"expired": waits, "denied": {code: enrollapi.Denied, rule: "denied"},
		"other CA": waits, "decommissioned": {code: enrollapi.RequestDenied, rule: "request-denied"},
	}
}

func byNewRequest() map[string]cell {
	waits := cell{rule: ruleWaits, same: true}
	return map[string]cell{
		"own name": waits, "other name": waits, "replayed": {rule: ruleWaitsStill, same: true}, "held": waits, "revoked": waits, "expired": waits,
		"denied": {code: enrollapi.Denied, rule: "denied"}, "other CA": waits, "decommissioned": waits,
	}
}

// requesting is a case of /v1/request: what a new host sends.
type requesting struct {
	name   string
	change func(w *world, h *machine, r *enrollapi.ApprovalRequest)
	want   cell
}

type requestChange = func(*world, *machine, *enrollapi.ApprovalRequest)

func askings() []requesting {
	refused := func(code enrollapi.Code, rule string) cell { return cell{code: code, rule: rule} }
	waits, issued := cell{rule: ruleWaits, same: true}, cell{rule: "issued"}
	name, bad := enrollapi.NameNotAllowed, enrollapi.BadRequest
	with := func(name string, change ...func(*x509.CertificateRequest)) requestChange {
		return func(w *world, h *machine, r *enrollapi.ApprovalRequest) { r.Request = csr(w.t, h.key, name, change...) }
	}
	by := func(key func() (crypto.Signer, error)) requestChange {
		return func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
			var err error
			h.key, err = key()
			w.must(err)
			r.Request = csr(w.t, h.key, h.name)
		}
	}
	of := func(profile string) requestChange {
		return func(_ *world, _ *machine, r *enrollapi.ApprovalRequest) { r.Profile = profile }
	}
	bytes := func(change func([]byte) []byte) requestChange {
		return func(_ *world, _ *machine, r *enrollapi.ApprovalRequest) { r.Request = change(r.Request) }
	}
	approved := func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
		h.approved = h.asks(*r)
		_, err := w.service.Approve(w.t.Context(), h.approved[:ledger.MinRequestID], issuance.Approval{Lifetime: dayLong})
		w.must(err)
	}
	used := func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
		approved(w, h, r)
		h.leaf = h.sends(*r).certificate(w.t)
	}
	after := func(d time.Duration) requestChange {
		return func(w *world, _ *machine, _ *enrollapi.ApprovalRequest) { w.wait(d) }
	}
	denied := func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
		h.approved = h.asks(*r)
		_, err := w.service.DenyRequest(w.t.Context(), h.approved, "who is that")
		w.must(err)
	}
	held := func(w *world, h *machine, _ *enrollapi.ApprovalRequest) {
		w.issue("workload", ca.Request{Name: h.name, Public: newKey(w.t).Public()})
	}
	replaced := func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
		_, err := w.service.Approve(w.t.Context(), h.asks(*r), issuance.Approval{Lifetime: dayLong, Replace: true})
		w.must(err)
	}
	terms := func(change func(*Terms)) requestChange {
		return func(w *world, _ *machine, _ *enrollapi.ApprovalRequest) {
			t := w.terms()
			change(t)
			w.server.SetTerms(t)
		}
	}
	both := func(all ...requestChange) requestChange {
		return func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
			for _, change := range all {
				change(w, h, r)
			}
		}
	}
	return []requesting{
		{"own name", both(), waits},
		{"own DNS name", with("new-01", dns("new-01", "NEW-01.example.com")), waits},
		{"own URI", with("new-01", uris("spiffe://example.com/host/new-01")), waits},
		{"own address", with("new-01", ips(fromAddress)), waits},
		// CVE-2026-105818: the operator is not asked about names that are another's.
		{"other DNS name", with("new-01", dns("web-01")), refused(name, "san-not-own")},
		{"other URI", with("new-01", uris("spiffe://example.com/host/web-01")), refused(name, "san-not-own")},
		{"other address", with("new-01", ips("10.1.2.4")), refused(name, "san-not-own")},
		{"wildcard", with("new-01", dns("*.new-01")), refused(bad, "request")},
		{"email address", with("new-01", func(r *x509.CertificateRequest) { r.EmailAddresses = []string{"root@new-01"} }), refused(name, "san-not-own")},
		{"too many names", with("new-01", func(r *x509.CertificateRequest) {
			for i := range 100 {
				r.URIs = append(r.URIs, &url.URL{Scheme: "spiffe", Host: "example.com", Path: fmt.Sprintf("/place-%d/new-01", i)})
			}
		}), refused(bad, "request")},
		{"no name", with(""), refused(name, "name-missing")},
		{"two common names", with("new-01", func(r *x509.CertificateRequest) {
			r.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidCommonName(), Value: "new-01"}, {Type: oidCommonName(), Value: "web-01"}}}
		}), refused(bad, "request")},
		// CVE-2012-3867: what would fool the one who approves.
		{"escape sequence in the name", with("new-01\x1b[2K"), refused(bad, "request")},
		{"NUL in the name", with("new-01\x00"), refused(bad, "request")},
		{"line in the name", with("new-01\nnew-02"), refused(bad, "request")},
		{"a held name", held, waits},
		{"a weak key", by(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 1024) }), refused(bad, "request")},
		{"a key type that is not allowed", both(of("p256"), by(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) })), refused(enrollapi.KeyNotAllowed, "profile-key_types")},
		{"a request of another key", bytes(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), refused(bad, "request")},
		{"no request", bytes(func([]byte) []byte { return nil }), refused(bad, "request-form")},
		{"a request that is cut", bytes(func(b []byte) []byte { return b[:len(b)-9] }), refused(bad, "request-form")},
		{"a request with more behind it", bytes(func(b []byte) []byte { return append(b, 0) }), refused(bad, "request-form")},
		{"PEM", bytes(func(b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: b}) }), refused(bad, "request-form")},
		{"an unknown place", func(_ *world, _ *machine, r *enrollapi.ApprovalRequest) { r.KeyPlace = "pocket" }, refused(bad, "key-place")},
		// CVE-2020-28942: one policy for all protocols; approval is off unless a profile allows it.
		{"a profile", of("p256"), waits},
		{"a profile without approval", of("only-token"), refused(enrollapi.Denied, "proof-not-allowed")},
		{"a profile without proofs", of("closed"), refused(enrollapi.Denied, "proof-not-allowed")},
		{"a profile that is not there", of("gone"), refused(enrollapi.Denied, "profile-unknown")},
		{"no default profile", terms(func(t *Terms) { t.Default = "" }), refused(enrollapi.Denied, "profile-unknown")},

		{"approved", approved, issued},
		{"approved, at its end", both(approved, after(dayLong)), issued},
		{"approved, after its end", both(approved, after(dayLong+time.Microsecond)), waits},
		// CVE-2022-1053: another key than that of the first step.
		{"approved, for another key", both(approved, by(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })), waits},
		{"approved, for other names", both(approved, with("new-01", dns("new-01"))), waits},
		{"approved, for another name", both(approved, with("new-02")), waits},
		{"approved, for another profile", both(approved, of("p256")), waits},
		{"approved, with a damaged signature", both(approved, bytes(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })), refused(bad, "request")},
		{"approved, and no longer allowed", both(approved, terms(func(t *Terms) {
			p := t.Policies["workload"]
			p.Proofs = []string{ca.ProofToken}
			t.Policies["workload"] = p
		})), refused(enrollapi.Denied, "proof-not-allowed")},
		{"approved, another default since", both(approved, terms(func(t *Terms) { t.Default = "closed" })), issued},
		{"approved, denied since", both(approved, func(w *world, h *machine, _ *enrollapi.ApprovalRequest) {
			_, err := w.service.DenyRequest(w.t.Context(), h.approved, "")
			w.must(err)
		}), refused(enrollapi.RequestDenied, "request-denied")},
		{"approved, held since", both(approved, held), refused(enrollapi.Held, "held")},
		{"approved, to replace", both(held, replaced), issued},
		{"approved, its key compromised", both(approved, func(w *world, h *machine, _ *enrollapi.ApprovalRequest) {
			w.revoke(w.issue("workload", ca.Request{Name: "old-01", Public: h.key.Public()}), ca.KeyCompromise)
		}), refused(enrollapi.KeyRevoked, "key-revoked")},
		{"approved, the name of the server", func(w *world, h *machine, r *enrollapi.ApprovalRequest) {
			w.must(w.server.RenewCertificate(w.t.Context()))
			r.Request = csr(w.t, h.key, "ca", dns("CA.example.com"))
			approved(w, h, r)
		}, refused(name, "reserved")},
		{"used", used, cell{rule: "issued-before", same: true}},
		{"used, revoked since", both(used, func(w *world, h *machine, _ *enrollapi.ApprovalRequest) { w.revoke(h.leaf, ca.Superseded) }), refused(enrollapi.RequestOver, "request-over")},
		{"used, expired since", both(used, after(200*dayLong)), refused(enrollapi.RequestOver, "request-over")},
		{"denied", denied, refused(enrollapi.RequestDenied, "request-denied")},
		{"denied, long ago", both(denied, after(200*dayLong)), refused(enrollapi.RequestDenied, "request-denied")},
		{"denied, and another key", both(denied, by(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })), waits},
		{"one too many", func(_ *world, h *machine, _ *enrollapi.ApprovalRequest) {
			for i := range 32 {
				h.asks(h.approvalRequest(fmt.Sprintf("new-1%02d", i)))
			}
		}, refused(enrollapi.SlowDown, "requests-limit")},
	}
}

// TestRequest: what a host gets that has neither a certificate nor a token.
func TestRequest(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	for _, tt := range askings() {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := made.world(t)
			h := &machine{w: w, name: "new-01", key: newKey(t)}
			r := h.approvalRequest(h.name)
			tt.change(w, h, &r)
			got := w.check(h, tt.want, func() result { return w.post(enrollapi.PathRequest, r) })
			if h.approved != "" && tt.want.rule == "request-denied" && !strings.Contains(got.record, " name=new-01 ") {
				t.Errorf("the log does not say who was denied: %s", got.record)
			}
			switch {
			case got.status == http.StatusAccepted:
				checkWaits(t, w, r, got)
			case tt.want.code == "":
				if c := got.certificate(t); c.Subject.CommonName != got.answer.Name || !ca.SameKey(c.PublicKey, h.key.Public()) {
					t.Errorf("a certificate for %q", c.Subject)
				}
				w.verified()
			}
		})
	}
}

// checkWaits checks that the operator sees what the host sees.
func checkWaits(t *testing.T, w *world, r enrollapi.ApprovalRequest, got result) {
	t.Helper()
	csr, err := x509.ParseCertificateRequest(r.Request)
	w.must(err)
	id := enrollapi.RequestID(csr, r.Profile)
	if got.waits.ID != hex.EncodeToString(id[:]) || got.waits.PollAfter < 5 || got.waits.PollAfter > 60 || !strings.Contains(got.record, got.waits.ID) {
		t.Errorf("it waits as %+v: %s", got.waits, got.record)
	}
	for waiting, err := range w.service.Requests(t.Context()) {
		w.must(err)
		if hex.EncodeToString(waiting.ID) != got.waits.ID {
			continue
		}
		key := ca.KeyHash(&x509.Certificate{PublicKey: csr.PublicKey})
		if waiting.Name != csr.Subject.CommonName || string(waiting.KeyHash) != string(key[:]) || len(waiting.SANs) != len(csr.DNSNames)+len(csr.URIs)+len(csr.IPAddresses) || waiting.Address.String() != fromAddress {
			t.Errorf("the operator sees %+v", waiting)
		}
		return
	}
	t.Error("the operator does not see it")
}

// A request is another one if anything of it is: the key, a name, the profile; and it does not depend on
// the signature, which has something random.
func TestRequestID(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	id := func(profile string, key crypto.Signer, name string, change ...func(*x509.CertificateRequest)) string {
		parsed, err := x509.ParseCertificateRequest(csr(t, key, name, change...))
		if err != nil {
			t.Fatal(err)
		}
		sum := enrollapi.RequestID(parsed, profile)
		return hex.EncodeToString(sum[:])
	}
	same := id("", key, "web-01")
	if again := id("", key, "web-01"); again != same {
		t.Error("the same request has another ID")
	}
	seen := map[string]string{same: "the first"}
	for what, other := range map[string]string{
		"profile": id("web", key, "web-01"), "key": id("", newKey(t), "web-01"), "name": id("", key, "web-02"), "DNS name": id("", key, "web-01", dns("web-01")),
		"other DNS name": id("", key, "web-01", dns("web-02")), "URI": id("", key, "web-01", uris("spiffe://example.com/web-01")),
		"attribute": id("", key, "web-01", func(r *x509.CertificateRequest) {
			r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}}
		}),
	} {
		if before := seen[other]; before != "" {
			t.Errorf("%s has the ID of %s", what, before)
		}
		seen[other] = what
	}
}

// How soon a host asks again follows from how long it has waited.
func TestPoll(t *testing.T) {
	t.Parallel()
	for waited, want := range map[time.Duration]time.Duration{
		-time.Hour: 5 * time.Second, 0: 5 * time.Second, 49 * time.Second: 5 * time.Second, 70 * time.Second: 7 * time.Second,
		10 * time.Minute: time.Minute, 24 * time.Hour: time.Minute,
	} {
		if got := poll(waited); got != want {
			t.Errorf("after %v: %v, want %v", waited, got, want)
		}
	}
}
