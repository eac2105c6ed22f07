package enroll

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/enrollapi"
)

// TestNames_ofTheCA: a name that the CA's own certificates forbid is refused for good, so that a host
// does not ask again for ever. The token is not spent.
func TestNames_ofTheCA(t *testing.T) {
	t.Parallel()
	w := openWorld(t, filepath.Join(t.TempDir(), "ledger.db"), newKey(t))
	constraints := ca.NameConstraints{PermittedDNS: []string{"example.com"}, ExcludedEmail: []string{"example.net"}, ExcludedIP: nil}
	root, err := ca.PrepareRoot(w.keys[issuance.RootName], ca.AuthorityConfig{Subject: pkix.Name{CommonName: "kedge CA"}, Lifetime: 3650 * dayLong, MaxPathLen: -1, Constraints: constraints}, w.now())
	w.must(err)
	_, err = w.service.Found(t.Context(), root)
	w.must(err)
	for what, tt := range map[string]struct {
		name   string
		change func(*x509.CertificateRequest)
		status int
	}{
		"permitted":            {"web-01", func(r *x509.CertificateRequest) { r.DNSNames = []string{"web-01.example.com"} }, http.StatusOK},
		"not permitted":        {"web-02", func(r *x509.CertificateRequest) { r.DNSNames = []string{"web-02.example.org"} }, http.StatusForbidden},
		"no alternative names": {"web-03", nil, http.StatusOK},
		"an address":           {"web-04", func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{net.ParseIP(fromAddress)} }, http.StatusOK},
		"of the CA":            {"kedge CA", nil, http.StatusForbidden},
		"blank":                {" ", nil, http.StatusForbidden},
	} {
		h := &machine{w: w, name: tt.name, key: newKey(t), token: w.token(nil, tt.name)}
		message := h.enrollRequest(tt.name)
		if tt.change != nil {
			message.Request = csr(t, h.key, tt.name, tt.change)
		}
		got := w.post(enrollapi.PathEnroll, message)
		if got.status != tt.status || (got.status == http.StatusOK) != (w.used(h.token) == 1) {
			t.Errorf("%s: status %d, used %d, %s", what, got.status, w.used(h.token), got.record)
		}
		if tt.status != http.StatusOK && (got.err.Code != enrollapi.NameNotAllowed || got.err.RetryAfter != 0) {
			t.Errorf("%s: %+v", what, got.err)
		}
	}
}
