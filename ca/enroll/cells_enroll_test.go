package enroll

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// enrollment is a case of /v1/enroll: what a new host with a token for its name sends.
type enrollment struct {
	name   string
	change func(w *world, h *machine, r *enrollapi.EnrollRequest)
	want   cell
}

func asks(name string, change ...func(*x509.CertificateRequest)) func(*world, *machine, *enrollapi.EnrollRequest) {
	return func(w *world, h *machine, r *enrollapi.EnrollRequest) { r.Request = csr(w.t, h.key, name, change...) }
}

func dns(names ...string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) { r.DNSNames = names }
}

func uris(texts ...string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) {
		for _, text := range texts {
			u, err := url.Parse(text)
			if err != nil {
				panic(err)
			}
			r.URIs = append(r.URIs, u)
		}
	}
}

func ips(texts ...string) func(*x509.CertificateRequest) {
	return func(r *x509.CertificateRequest) {
		for _, text := range texts {
			r.IPAddresses = append(r.IPAddresses, net.ParseIP(text))
		}
	}
}

// withToken makes another token for the host.
func withToken(change func(*ledger.Token), names ...string) func(*world, *machine, *enrollapi.EnrollRequest) {
	return func(w *world, h *machine, r *enrollapi.EnrollRequest) {
		h.token = w.token(change, names...)
		r.Token = h.token
	}
}

func profile(name string) func(*world, *machine, *enrollapi.EnrollRequest) {
	return withToken(func(t *ledger.Token) { t.Profile = name }, "new-01")
}

func network(text string) func(*world, *machine, *enrollapi.EnrollRequest) {
	return withToken(func(t *ledger.Token) { t.Networks = []netip.Prefix{netip.MustParsePrefix(text)} }, "new-01")
}

func pattern(text string) func(*ledger.Token) {
	return func(t *ledger.Token) { t.Pattern, t.Uses = text, 3 }
}

// withKey takes another key for the host.
func withKey(generate func() (crypto.Signer, error)) func(*world, *machine, *enrollapi.EnrollRequest) {
	return func(w *world, h *machine, r *enrollapi.EnrollRequest) {
		key, err := generate()
		w.must(err)
		h.key = key
		r.Request = csr(w.t, key, h.name)
	}
}

func forKey(own bool) func(*world, *machine, *enrollapi.EnrollRequest) {
	return func(w *world, h *machine, r *enrollapi.EnrollRequest) {
		key := h.key
		if !own {
			key = newKey(w.t)
		}
		spki, err := x509.MarshalPKIXPublicKey(key.Public())
		w.must(err)
		sum := sha256.Sum256(spki)
		withToken(func(t *ledger.Token) { t.ForKey = sum[:] }, "new-01")(w, h, r)
	}
}

func body(data string) func(*world, *machine, *enrollapi.EnrollRequest) {
	return func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.Request = []byte(data) }
}

func enrollments() []enrollment {
	refused := func(code enrollapi.Code, rule string) cell { return cell{code: code, rule: rule} }
	issued := cell{rule: "issued"}
	name, bad := enrollapi.NameNotAllowed, enrollapi.BadRequest
	oneOf := func(names ...string) func(*world, *machine, *enrollapi.EnrollRequest) {
		return withToken(nil, names...)
	}
	both := func(all ...func(*world, *machine, *enrollapi.EnrollRequest)) func(*world, *machine, *enrollapi.EnrollRequest) {
		return func(w *world, h *machine, r *enrollapi.EnrollRequest) {
			for _, change := range all {
				change(w, h, r)
			}
		}
	}
	return []enrollment{
		{"own DNS name", asks("new-01", dns("new-01", "NEW-01.example.com")), issued},
		{"own URI", asks("new-01", uris("spiffe://example.com/host/new-01")), issued},
		{"own address", asks("new-01", ips(fromAddress)), issued},
		// CVE-2026-105818: names of a request that nobody has checked.
		{"other DNS name", asks("new-01", dns("web-01")), refused(name, "san-not-own")},
		{"own name in a domain that is not listed", asks("new-01", dns("new-01.internal.example.com")), refused(name, "san-not-own")},
		{"own name, a listed domain and more", asks("new-01", dns("new-01.example.com.evil.example")), refused(name, "san-not-own")},
		{"DNS name that begins alike", asks("new-01", dns("new-012.example.com")), refused(name, "san-not-own")},
		{"own and other DNS name", asks("new-01", dns("new-01", "web-01.example.com")), refused(name, "san-not-own")},
		{"wildcard", asks("new-01", dns("*.new-01")), refused(bad, "request")},
		{"other URI", asks("new-01", uris("spiffe://example.com/host/web-01")), refused(name, "san-not-own")},
		{"URI with the name in a query", asks("new-01", uris("spiffe://example.com/host/web-01?/new-01")), refused(bad, "request")},
		{"URI with an escaped slash", asks("new-01", uris("spiffe://example.com/web-01%2Fnew-01")), refused(bad, "request")},
		{"other address", asks("new-01", ips("10.1.2.4")), refused(name, "san-not-own")},
		{"email address", asks("new-01", func(r *x509.CertificateRequest) { r.EmailAddresses = []string{"root@new-01"} }), refused(name, "san-not-own")},
		{"no name, one in the token", asks(""), issued},
		{"no name, two in the token", both(oneOf("new-01", "new-02"), asks("")), refused(name, "name-missing")},
		{"second name of the token", both(oneOf("new-01", "new-02"), asks("new-02")), issued},
		{"name in other case", asks("NEW-01"), refused(name, "token-name")},
		{"two common names", asks("new-01", func(r *x509.CertificateRequest) {
			r.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidCommonName(), Value: "new-01"}, {Type: oidCommonName(), Value: "web-01"}}}
		}), refused(bad, "request")},
		// CVE-2012-3867 and CVE-2021-27099: control bytes and paths in a name.
		{"escape sequence in the name", asks("new-01\x1b[2K"), refused(bad, "request")},
		{"NUL in the name", asks("new-01\x00"), refused(bad, "request")},
		{"path in the name", asks("../new-01"), refused(name, "token-name")},
		{"a new name of a pattern", both(withToken(pattern("new-*")), asks("new-77")), issued},
		{"a name beside a pattern", both(withToken(pattern("new-*")), asks("web-77")), refused(name, "token-name")},
		{"a name that was held, by a pattern", both(func(w *world, _ *machine, _ *enrollapi.EnrollRequest) { w.machine("new-01") }, withToken(pattern("new-*"))), refused(enrollapi.Held, "held")},
		// CVE-2025-13609: a name that another key has.
		{"a held name", func(w *world, _ *machine, _ *enrollapi.EnrollRequest) { w.machine("new-01") }, refused(enrollapi.Held, "held")},
		{"a held name that expired", func(w *world, h *machine, r *enrollapi.EnrollRequest) {
			withToken(func(t *ledger.Token) { t.Expires = w.now().Add(300 * dayLong) }, "new-01")(w, h, r)
			w.machine("new-01")
			w.wait(200 * dayLong)
		}, refused(enrollapi.Held, "held")},
		{"a held name, replaced", both(func(w *world, _ *machine, _ *enrollapi.EnrollRequest) { w.machine("new-01") }, withToken(func(t *ledger.Token) { t.Replace = true }, "new-01")), issued},
		{"a decommissioned name", func(w *world, h *machine, r *enrollapi.EnrollRequest) {
			w.machine("new-01")
			_, err := w.service.Decommission(w.t.Context(), "new-01", "")
			w.must(err)
			withToken(nil, "new-01")(w, h, r)
		}, issued},
		{"a name of the server", func(w *world, h *machine, r *enrollapi.EnrollRequest) {
			w.must(w.server.RenewCertificate(w.t.Context()))
			withToken(nil, "ca")(w, h, r)
			r.Request = csr(w.t, h.key, "ca", dns("CA.example.com"))
		}, refused(name, "reserved")},
		{"other secret", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.Token.Secret = enrollapi.NewSecret() }, refused(enrollapi.BadToken, "token-unknown")},
		{"other secret, of a profile that is gone", both(profile("gone"), func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.Token.Secret = enrollapi.NewSecret() }),
			refused(enrollapi.BadToken, "token-unknown")},
		{"other ID", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) {
			r.Token.ID = append([]byte{r.Token.ID[0] ^ 1}, r.Token.ID[1:]...)
		}, refused(enrollapi.BadToken, "token-unknown")},
		{"short ID", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.Token.ID = r.Token.ID[:3] }, refused(enrollapi.BadToken, "token-unknown")},
		{"spent", func(w *world, h *machine, r *enrollapi.EnrollRequest) {
			if got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name)); got.status != http.StatusOK {
				w.t.Fatal(got.record)
			}
			r.Request = csr(w.t, newKey(w.t), h.name)
		}, refused(enrollapi.TokenSpent, "token-spent")},
		{"answered before, revoked since", func(w *world, h *machine, _ *enrollapi.EnrollRequest) {
			w.revoke(w.post(enrollapi.PathEnroll, h.enrollRequest(h.name)).certificate(w.t), ca.Superseded)
		}, refused(enrollapi.TokenSpent, "token-spent")},
		{"compromised key", func(w *world, h *machine, _ *enrollapi.EnrollRequest) {
			w.revoke(w.issue("workload", ca.Request{Name: "old-01", Public: h.key.Public()}), ca.KeyCompromise)
		}, refused(enrollapi.KeyRevoked, "key-revoked")},
		{"in the network", network("10.1.0.0/16"), issued},
		{"outside of the network", network("10.2.0.0/16"), refused(enrollapi.WrongNetwork, "token-network")},
		{"for this key", forKey(true), issued},
		{"for another key", forKey(false), refused(enrollapi.KeyNotAllowed, "token-key")},
		// CVE-2020-28942: limits that one protocol goes round.
		{"a profile without tokens", profile("only-renewal"), refused(enrollapi.Denied, "proof-not-allowed")},
		{"a profile without proofs", profile("closed"), refused(enrollapi.Denied, "proof-not-allowed")},
		{"a profile that is gone", profile("gone"), refused(enrollapi.Denied, "profile-unknown")},
		{"a key type that is allowed", profile("p256"), issued},
		{"a key type that is not", both(profile("p256"), withKey(func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) })),
			refused(enrollapi.KeyNotAllowed, "profile-key_types")},
		{"a weak key", withKey(func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 1024) }), refused(bad, "request")},
		{"a request of another key", func(w *world, h *machine, r *enrollapi.EnrollRequest) {
			forged := csr(w.t, h.key, h.name)
			forged[len(forged)-1] ^= 1
			r.Request = forged
		}, refused(bad, "request")},
		{"no request", body(""), refused(bad, "request-form")},
		{"a request that is cut", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.Request = r.Request[:len(r.Request)-9] }, refused(bad, "request-form")},
		{"a request with more behind it", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.Request = append(r.Request, 0) }, refused(bad, "request-form")},
		{"PEM", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) {
			r.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: r.Request})
		}, refused(bad, "request-form")},
		{"no PKCS#10", body("\x30\x03\x02\x01\x00"), refused(bad, "request-form")},
		{"an unknown place", func(_ *world, _ *machine, r *enrollapi.EnrollRequest) { r.KeyPlace = "pocket" }, refused(bad, "key-place")},
	}
}

func oidCommonName() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 4, 3} }

// TestEnroll: what a host without a certificate gets with a token.
func TestEnroll(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	for _, tt := range enrollments() {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w, h, r := made.newcomer(t)
			tt.change(w, h, r)
			got := w.check(h, tt.want, func() result { return w.post(enrollapi.PathEnroll, r) })
			if tt.want.code != "" {
				return
			}
			if c := got.certificate(t); c.Subject.CommonName != got.answer.Name || !ca.SameKey(c.PublicKey, h.key.Public()) {
				t.Errorf("a certificate for %q", c.Subject)
			}
		})
	}
}
