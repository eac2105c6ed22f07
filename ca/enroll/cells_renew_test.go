package enroll

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
	"kedge/signer"
)

// renewal is a case of /v1/renew: what a host with a certificate sends. change returns the request.
type renewal struct {
	name string
	send func(w *world, h *machine) enrollapi.RenewRequest
	want cell
}

// usual is the request of a host that does as it should, once before has happened.
func usual(before func(w *world, h *machine)) func(*world, *machine) enrollapi.RenewRequest {
	return func(w *world, h *machine) enrollapi.RenewRequest {
		before(w, h)
		return h.renewRequest(h.name, newKey(w.t))
	}
}

// signed is such a request with another proof.
func signed(change func(w *world, p *signer.Possession)) func(*world, *machine) enrollapi.RenewRequest {
	return func(w *world, h *machine) enrollapi.RenewRequest {
		body := csr(w.t, newKey(w.t), h.name)
		return enrollapi.RenewRequest{Request: body, Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, body, func(p *signer.Possession) { change(w, p) })}
	}
}

// altered is such a request with a field that was changed after it was signed.
func altered(change func(w *world, r *enrollapi.RenewRequest)) func(*world, *machine) enrollapi.RenewRequest {
	return func(w *world, h *machine) enrollapi.RenewRequest {
		r := h.renewRequest(h.name, newKey(w.t))
		change(w, &r)
		return r
	}
}

// asking is such a request for other names.
func asking(name string, change ...func(*x509.CertificateRequest)) func(*world, *machine) enrollapi.RenewRequest {
	return func(w *world, h *machine) enrollapi.RenewRequest {
		body := csr(w.t, newKey(w.t), name, change...)
		return enrollapi.RenewRequest{Request: body, Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, body)}
	}
}

// presenting is such a request with another certificate, signed by a key of its sender.
func presenting(leaf func(w *world, h *machine) (*x509.Certificate, crypto.Signer)) func(*world, *machine) enrollapi.RenewRequest {
	return func(w *world, h *machine) enrollapi.RenewRequest {
		h.leaf, h.key = leaf(w, h)
		return h.renewRequest(h.name, newKey(w.t))
	}
}

// renewed renews the certificate of a host with a new key, and returns both. The host has the old.
func (h *machine) renewed() (*x509.Certificate, crypto.Signer) {
	h.w.t.Helper()
	key := newKey(h.w.t)
	got := h.w.post(enrollapi.PathRenew, h.renewRequest(h.name, key))
	if got.status != http.StatusOK {
		h.w.t.Fatal(got.record)
	}
	return got.certificate(h.w.t), key
}

// enrolled gets the certificate of a host by its token, with the key in a place.
func enrolled(w *world, h *machine, place string) {
	w.t.Helper()
	r := h.enrollRequest(h.name)
	r.KeyPlace = place
	got := w.post(enrollapi.PathEnroll, r)
	if got.status != http.StatusOK {
		w.t.Fatal(got.record)
	}
	h.leaf = got.certificate(w.t)
}

// late renews a host a day after the end of its certificate.
func late(w *world, h *machine, times int) {
	w.t.Helper()
	for range times {
		w.wait(2 * dayLong)
		h.leaf, h.key = h.renewed()
	}
}

func at(d time.Duration) func(w *world, p *signer.Possession) {
	return func(_ *world, p *signer.Possession) { p.At = p.At.Add(d) }
}

// twin makes a certificate with the issuer, the serial number and the names of another, for a key of
// somebody else.
func twin(w *world, h *machine) (*x509.Certificate, crypto.Signer) {
	key, foreign := newKey(w.t), newKey(w.t)
	template := &x509.Certificate{SerialNumber: h.leaf.SerialNumber, RawSubject: h.leaf.RawSubject, NotBefore: h.leaf.NotBefore, NotAfter: h.leaf.NotAfter}
	issuer := &x509.Certificate{RawSubject: h.leaf.RawIssuer, SubjectKeyId: h.leaf.AuthorityKeyId}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), foreign)
	w.must(err)
	cert, err := x509.ParseCertificate(der)
	w.must(err)
	return cert, key
}

func renewals() []renewal {
	refused := func(code enrollapi.Code, rule string) cell { return cell{code: code, rule: rule} }
	issued := cell{rule: "issued"}
	name, bad, forged := enrollapi.NameNotAllowed, enrollapi.BadRequest, enrollapi.BadSignature
	differ := refused(name, "names-differ")
	return []renewal{
		{"the same key", func(_ *world, h *machine) enrollapi.RenewRequest { return h.renewRequest(h.name, h.key) }, issued},
		{"signed 14 minutes ago", signed(at(-14 * time.Minute)), issued},
		{"signed in 14 minutes", signed(at(14 * time.Minute)), issued},
		{"signed an hour ago", signed(at(-time.Hour)), refused(enrollapi.Clock, "clock")},
		{"signed tomorrow", signed(at(dayLong)), refused(enrollapi.Clock, "clock")},
		{"no date", altered(func(_ *world, r *enrollapi.RenewRequest) { r.Date = "" }), refused(bad, "proof")},
		{"another date", altered(func(w *world, r *enrollapi.RenewRequest) {
			r.Date = w.now().Add(time.Minute).Format("20060102T150405Z")
		}), refused(forged, "signature")},
		{"no audience", altered(func(_ *world, r *enrollapi.RenewRequest) { r.Audience = "" }), refused(bad, "proof")},
		// CVE-2024-5798: a signature that was made for another audience.
		{"for another CA", signed(func(_ *world, p *signer.Possession) { p.Audience = sha256.Sum256([]byte("other")) }), refused(enrollapi.WrongCA, "audience")},
		{"for another CA, made to look right", altered(func(w *world, r *enrollapi.RenewRequest) {
			other := signed(func(_ *world, p *signer.Possession) { p.Audience = sha256.Sum256([]byte("other")) })(w, w.machine("web-09"))
			other.Audience = r.Audience
			*r = other
		}), refused(forged, "signature")},
		{"for another path", signed(func(_ *world, p *signer.Possession) { p.Path = enrollapi.PathUnenroll }), refused(forged, "signature")},
		{"another request", altered(func(w *world, r *enrollapi.RenewRequest) { r.Request = csr(w.t, newKey(w.t), "web-01") }), refused(forged, "signature")},
		{"a bit of the signature", altered(func(_ *world, r *enrollapi.RenewRequest) { r.Signature[9] ^= 1 }), refused(forged, "signature")},
		{"no signature", altered(func(_ *world, r *enrollapi.RenewRequest) { r.Signature = nil }), refused(forged, "signature")},
		{"signed by the new key", altered(func(w *world, r *enrollapi.RenewRequest) {
			h := w.machine("web-09")
			r.Signature = w.prove(enrollapi.PathRenew, h.leaf, h.key, r.Request).Signature
		}), refused(forged, "signature")},
		{"the certificate of another host", altered(func(w *world, r *enrollapi.RenewRequest) { r.Leaf = w.machine("web-09").leaf.Raw }), refused(forged, "signature")},
		// CVE-2024-2048: a certificate that was forged.
		{"the same serial number, another key", presenting(twin), refused(enrollapi.UnknownCertificate, "unknown-certificate")},
		{"a certificate with one byte more", altered(func(_ *world, r *enrollapi.RenewRequest) { r.Leaf = append(bytes.Clone(r.Leaf), 0) }), refused(enrollapi.UnknownCertificate, "unknown-certificate")},
		{"no certificate", altered(func(_ *world, r *enrollapi.RenewRequest) { r.Leaf = nil }), refused(enrollapi.UnknownCertificate, "unknown-certificate")},
		{"the root", presenting(func(w *world, _ *machine) (*x509.Certificate, crypto.Signer) { return w.root(), w.keys["ca"] }), refused(enrollapi.UnknownCertificate, "unknown-certificate")},
		{"the server", presenting(func(w *world, _ *machine) (*x509.Certificate, crypto.Signer) {
			w.must(w.server.RenewCertificate(w.t.Context()))
			c := w.server.certificate.Load()
			return c.leaf, c.tls.PrivateKey.(crypto.Signer)
		}), refused(enrollapi.UnknownCertificate, "unknown-certificate")},
		// CVE-2025-6037: the same key, another name.
		{"the same key, another name", func(_ *world, h *machine) enrollapi.RenewRequest { return h.renewRequest("web-02", h.key) }, differ},
		{"no name", asking(""), differ},
		{"another name", asking("web-02"), differ},
		{"another DNS name", asking("web-01", dns("web-02")), differ},
		{"another URI", asking("web-01", uris("spiffe://example.com/web-01")), differ},
		{"an address", asking("web-01", ips(fromAddress)), differ},
		{"an email address", asking("web-01", func(r *x509.CertificateRequest) { r.EmailAddresses = []string{"a@b.example"} }), differ},
		{"another organization", asking("web-01", func(r *x509.CertificateRequest) { r.Subject.Organization = []string{"other"} }), differ},
		{"fewer names", func(w *world, h *machine) enrollapi.RenewRequest {
			h.leaf = w.issue("workload", ca.Request{Name: "two", Public: h.key.Public(), DNS: []string{"two.example.com"}})
			return h.renewRequest("two", newKey(w.t))
		}, differ},
		{"all names, in other order", func(w *world, h *machine) enrollapi.RenewRequest {
			h.leaf = w.issue("workload", ca.Request{Name: "two", Public: h.key.Public(), DNS: []string{"a.example.com", "b.example.com"}})
			body := csr(w.t, newKey(w.t), "two", dns("b.example.com", "A.example.com"))
			return enrollapi.RenewRequest{Request: body, Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, body)}
		}, issued},
		{"a request of another key", func(w *world, h *machine) enrollapi.RenewRequest {
			body := csr(w.t, h.key, h.name)
			body[len(body)-1] ^= 1
			return enrollapi.RenewRequest{Request: body, Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, body)}
		}, refused(bad, "request-key")},
		{"no request", func(w *world, h *machine) enrollapi.RenewRequest {
			return enrollapi.RenewRequest{Proof: w.prove(enrollapi.PathRenew, h.leaf, h.key, nil)}
		}, refused(bad, "request-form")},
		{"an hour after the end", usual(func(w *world, _ *machine) { w.wait(25 * time.Hour) }), issued},
		{"within the grace", usual(func(w *world, _ *machine) { w.wait(7 * dayLong) }), issued},
		{"after the grace", usual(func(w *world, _ *machine) { w.wait(8*dayLong + time.Hour) }), refused(enrollapi.BeyondGrace, "beyond-grace")},
		{"hardware, after the grace of files", usual(func(w *world, h *machine) { enrolled(w, h, ca.KeyInTPM); w.wait(60 * dayLong) }), issued},
		{"hardware, after its grace", usual(func(w *world, h *machine) { enrolled(w, h, ca.KeyInPKCS11); w.wait(92 * dayLong) }), refused(enrollapi.BeyondGrace, "beyond-grace")},
		{"a file that is said to be hardware by now", func(w *world, h *machine) enrollapi.RenewRequest {
			enrolled(w, h, ca.KeyInFile)
			w.wait(60 * dayLong)
			r := h.renewRequest(h.name, newKey(w.t))
			r.KeyPlace = ca.KeyInTPM
			return r
		}, refused(enrollapi.BeyondGrace, "beyond-grace")},
		{"late once before", usual(func(w *world, h *machine) { late(w, h, 1); w.wait(2 * dayLong) }), issued},
		{"late too often", usual(func(w *world, h *machine) { late(w, h, 2); w.wait(2 * dayLong) }), refused(enrollapi.BeyondGrace, "beyond-grace")},
		{"late too often, in time now", usual(func(w *world, h *machine) { late(w, h, 2) }), issued},
		{"replaced by the same key", usual(func(_ *world, h *machine) {
			if got := h.w.post(enrollapi.PathRenew, h.renewRequest(h.name, h.key)); got.status != http.StatusOK {
				h.w.t.Fatal(got.record)
			}
		}), refused(enrollapi.Clone, "clone")},
		{"replaced by another key", usual(func(_ *world, h *machine) { h.renewed() }), refused(enrollapi.Clone, "clone")},
		{"the new certificate", presenting(func(_ *world, h *machine) (*x509.Certificate, crypto.Signer) { return h.renewed() }), issued},
		{"on hold", usual(func(w *world, h *machine) { w.revoke(h.leaf, ca.CertificateHold) }), refused(enrollapi.Revoked, "revoked")},
		{"a compromised new key", func(w *world, h *machine) enrollapi.RenewRequest {
			key := newKey(w.t)
			w.revoke(w.issue("workload", ca.Request{Name: "old-01", Public: key.Public()}), ca.KeyCompromise)
			return h.renewRequest(h.name, key)
		}, refused(enrollapi.KeyRevoked, "key-revoked")},
		{"a profile without renewal", presenting(func(w *world, h *machine) (*x509.Certificate, crypto.Signer) {
			return w.issue("only-token", ca.Request{Name: h.name, Public: h.key.Public()}), h.key
		}), refused(enrollapi.Denied, "proof-not-allowed")},
		{"a profile that is gone", usual(func(w *world, _ *machine) {
			terms := *w.server.terms.Load()
			terms.Policies = nil
			w.server.SetTerms(&terms)
		}), refused(enrollapi.Denied, "profile-unknown")},
		{"an unknown place", altered(func(_ *world, r *enrollapi.RenewRequest) { r.KeyPlace = "pocket" }), refused(bad, "key-place")},
	}
}

// TestRenew: what a host with a certificate gets.
func TestRenew(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	for _, tt := range renewals() {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := made.world(t)
			h := w.machine("web-01")
			r := tt.send(w, h)
			got := w.check(h, tt.want, func() result { return w.post(enrollapi.PathRenew, r) })
			if tt.want.code == "" && got.certificate(t).Subject.String() != h.leaf.Subject.String() {
				t.Errorf("a certificate for %q", got.certificate(t).Subject)
			}
		})
	}
}

// TestUnenroll: a host ends its own certificates, and nobody else's.
func TestUnenroll(t *testing.T) {
	t.Parallel()
	made := newTemplate(t)
	for name, tt := range map[string]struct {
		send func(w *world, h *machine) enrollapi.UnenrollRequest
		want cell
	}{
		"after a renewal": {func(_ *world, h *machine) enrollapi.UnenrollRequest {
			h.leaf, h.key = h.renewed()
			return h.unenrollRequest()
		}, cell{rule: "unenrolled"}},
		"by the old key": {func(_ *world, h *machine) enrollapi.UnenrollRequest {
			h.renewed()
			return h.unenrollRequest()
		}, cell{code: enrollapi.Clone, rule: "clone"}},
		"of another host": {func(w *world, h *machine) enrollapi.UnenrollRequest {
			r := h.unenrollRequest()
			r.Leaf = w.machine("web-09").leaf.Raw
			return r
		}, cell{code: enrollapi.BadSignature, rule: "signature"}},
		"for another CA": {func(w *world, h *machine) enrollapi.UnenrollRequest {
			return enrollapi.UnenrollRequest{Proof: w.prove(enrollapi.PathUnenroll, h.leaf, h.key, nil, func(p *signer.Possession) { p.Audience[0] ^= 1 })}
		}, cell{code: enrollapi.WrongCA, rule: "audience"}},
		"long ago": {func(w *world, h *machine) enrollapi.UnenrollRequest {
			return enrollapi.UnenrollRequest{Proof: w.prove(enrollapi.PathUnenroll, h.leaf, h.key, nil, func(p *signer.Possession) { p.At = p.At.Add(-time.Hour) })}
		}, cell{code: enrollapi.Clock, rule: "clock"}},
		"a profile that allows nothing": {func(w *world, h *machine) enrollapi.UnenrollRequest {
			h.leaf = w.issue("closed", ca.Request{Name: h.name, Public: h.key.Public()})
			return h.unenrollRequest()
		}, cell{rule: "unenrolled"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := made.world(t)
			h := w.machine("web-01")
			r := tt.send(w, h)
			w.check(h, tt.want, func() result { return w.post(enrollapi.PathUnenroll, r) })
			valid := 0
			for _, c := range w.leaves(h.name) {
				if c.RevokedAt == nil {
					valid++
				}
			}
			if tt.want.code == "" && valid != 0 {
				t.Errorf("%d certificates are not revoked", valid)
			}
		})
	}
}
