package enroll

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
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

// counted counts the signatures of a key.
type counted struct {
	crypto.Signer
	n atomic.Int64
}

func (c *counted) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	c.n.Add(1)
	return c.Signer.Sign(random, digest, o)
}

// TestRefused_unsigned: what is asked for with a token that is at an end, or from elsewhere, costs no
// signature of the CA's key, which may be in slow hardware.
func TestRefused_unsigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := &counted{Signer: w.keys[issuance.RootName]}
	w.keys[issuance.RootName] = key
	w.server.service = w.anotherService()
	enroll := func(name string, change func(*ledger.Token)) *machine {
		return &machine{w: w, name: name, key: newKey(t), token: w.token(change, name)}
	}
	expired, spent, withdrawn, abroad := enroll("expired", nil), enroll("spent", nil), enroll("withdrawn", nil), enroll("abroad", func(t *ledger.Token) { t.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	if got := w.post(enrollapi.PathEnroll, spent.enrollRequest(spent.name)); got.status != http.StatusOK || key.n.Load() != 1 {
		t.Fatal(key.n.Load(), got.record)
	}
	_, err := w.service.RevokeToken(t.Context(), withdrawn.token.ID, false, "")
	w.must(err)
	w.wait(2 * time.Hour)
	before := key.n.Load()
	for what, h := range map[string]*machine{"expired": expired, "spent": {w: w, name: spent.name, key: newKey(t), token: spent.token}, "withdrawn": withdrawn, "abroad": abroad} {
		if got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name)); got.status < 400 || got.status >= 500 || key.n.Load() != before {
			t.Errorf("%s: status %d, %d signatures, %s", what, got.status, key.n.Load()-before, got.record)
		}
		before = key.n.Load()
	}
}
