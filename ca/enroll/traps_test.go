package enroll

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/internal/enrollapi"
	"kedge/internal/testenv"
)

// eachAltered calls do with every version of a DER in which one byte is another, or that is cut.
func eachAltered(der []byte, do func([]byte)) {
	for i := range der {
		for _, mask := range []byte{0x01, 0x80} {
			other := bytes.Clone(der)
			other[i] ^= mask
			do(other)
		}
		do(der[:i])
	}
}

// TestTrap_anyByte: CVE-2026-40097 (step-ca panicked at an extension without content). Requests and
// certificates with any byte changed, or cut anywhere, are refused as the client's fault, and nothing is
// recorded, also where the host has signed them.
func TestTrap_anyByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	next := h.renewRequest(h.name, newKey(t))
	token := h.enrollRequest("web-02")
	token.Token = w.token(nil, "web-02")
	seq := w.seq()
	refused := func(path string, message any) {
		t.Helper()
		if got := w.post(path, message); got.status < 400 || got.status >= 500 || got.err.Code == "" {
			t.Errorf("%s: status %d by %q, %s", path, got.status, got.rule, got.record)
		}
	}
	eachAltered(token.Request, func(der []byte) {
		refused(enrollapi.PathEnroll, enrollapi.EnrollRequest{Token: token.Token, Request: der, KeyPlace: token.KeyPlace})
	})
	eachAltered(next.Request, func(der []byte) {
		refused(enrollapi.PathRenew, enrollapi.RenewRequest{Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, der), Request: der, KeyPlace: next.KeyPlace})
	})
	eachAltered(h.leaf.Raw, func(der []byte) {
		message := next
		message.Leaf = der
		refused(enrollapi.PathRenew, message)
	})
	if w.seq() != seq || w.used(token.Token) != 0 {
		t.Errorf("%d entries were written, and the token was used %d times", w.seq()-seq, w.used(token.Token))
	}
}

// TestTrap_emptyExtensions: CVE-2026-40097. Extensions of a request that have no content, or are there
// without sense, make no server fail.
func TestTrap_emptyExtensions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	for name, id := range map[string]asn1.ObjectIdentifier{
		"extended key usage": {2, 5, 29, 37}, "key usage": {2, 5, 29, 15}, "basic constraints": {2, 5, 29, 19}, "alternative names": {2, 5, 29, 17},
		"name constraints": {2, 5, 29, 30}, "an unknown one": {1, 3, 6, 1, 4, 1, 99999, 1},
	} {
		for kind, value := range map[string][]byte{"no bytes": {}, "an empty sequence": {0x30, 0}, "NULL": {5, 0}, "cut": {0x30, 9}} {
			request := h.enrollRequest("web-01")
			request.Request = csr(t, h.key, "web-01", func(r *x509.CertificateRequest) {
				r.ExtraExtensions = []pkix.Extension{{Id: id, Critical: true, Value: value}}
			})
			if got := w.post(enrollapi.PathEnroll, request); got.status >= 500 {
				t.Errorf("%s, %s: status %d, %s", name, kind, got.status, got.record)
			}
		}
	}
	w.verified()
}

// TestTrap_audience: CVE-2024-5798 and CVE-2020-16251 (Vault took tokens for another audience, or one of
// several). A renewal is for one CA, which is signed, and stands in one text.
func TestTrap_audience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	right, err := json.Marshal(h.renewRequest(h.name, newKey(t)))
	w.must(err)
	var message map[string]any
	w.must(json.Unmarshal(right, &message))
	own, _ := message["audience"].(string)
	seq := w.seq()
	for name, audience := range map[string]any{
		"several":            []string{own, strings.Repeat("00", 32)},
		"a list of its own":  []string{own},
		"an object":          map[string]string{"hash": own},
		"none":               nil,
		"empty":              "",
		"another's":          strings.Repeat("ab", 32),
		"two in one text":    own + "," + own,
		"a beginning":        own[:32],
		"a prefix before it": "sha256:" + own,
		"true":               true,
	} {
		message["audience"] = audience
		got := w.post(enrollapi.PathRenew, message)
		if got.status < 400 || got.status >= 500 || w.seq() != seq {
			t.Errorf("%s: status %d, %s", name, got.status, got.record)
		}
	}
	message["audience"] = own
	if got := w.post(enrollapi.PathRenew, message); got.status != http.StatusOK {
		t.Errorf("its own: %d, %s", got.status, got.record)
	}
}

// TestTrap_restarted: CVE-2022-41316 (Vault accepted revoked certificates until it had read its list). The
// first request that a server answers after its start is decided by the ledger.
func TestTrap_restarted(t *testing.T) {
	t.Parallel()
	for engine, where := range map[string]string{"sqlite": t.TempDir() + "/ledger.db", "postgres": testenv.Postgres(t)} {
		w := newWorldOn(t, where)
		h, denied := w.machine("web-01"), w.machine("web-02")
		w.revoke(h.leaf, ca.Superseded)
		w.must(w.service.DenyRenewal(t.Context(), denied.name, ""))
		for _, one := range []*machine{h, denied} {
			server, err := New(Config{Service: w.anotherService(), Terms: w.terms(), Now: w.now})
			w.must(err)
			w.server = server
			if got := w.post(enrollapi.PathRenew, one.renewRequest(one.name, newKey(t))); got.err.Code != enrollapi.Revoked && got.err.Code != enrollapi.Denied {
				t.Errorf("%s: %s: status %d, %q", engine, one.name, got.status, got.err.Code)
			}
		}
	}
}
