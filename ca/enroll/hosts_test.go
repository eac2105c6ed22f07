package enroll

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/enrollapi"
	"kedge/internal/testenv"
)

// TestKeys: keys of every type enroll, renew to another key of the type, and give up.
func TestKeys(t *testing.T) {
	t.Parallel()
	ec := func(curve elliptic.Curve) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
	}
	ml := func(p mldsa.Parameters) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return mldsa.GenerateKey(p) }
	}
	for kind, generate := range map[string]func() (crypto.Signer, error){
		"P-256": ec(elliptic.P256()), "P-384": ec(elliptic.P384()), "P-521": ec(elliptic.P521()),
		"RSA-2048":  func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"ML-DSA-44": ml(mldsa.MLDSA44()), "ML-DSA-65": ml(mldsa.MLDSA65()), "ML-DSA-87": ml(mldsa.MLDSA87()),
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			h := &machine{w: w, name: "new-01", token: w.token(nil, "new-01")}
			var err error
			h.key, err = generate()
			w.must(err)
			got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name))
			if got.status != http.StatusOK {
				t.Fatal(got.record)
			}
			h.leaf = got.certificate(t)
			w.wait(16 * time.Hour)
			next, err := generate()
			w.must(err)
			got = w.post(enrollapi.PathRenew, h.renewRequest(h.name, next))
			if got.status != http.StatusOK {
				t.Fatal(got.record)
			}
			h.leaf, h.key = got.certificate(t), next
			if kept := ca.KeyType(h.leaf.PublicKey); kept != kind || !ca.SameKey(h.leaf.PublicKey, next.Public()) {
				t.Errorf("a certificate for a key of type %s", kept)
			}
			if got := w.post(enrollapi.PathUnenroll, h.unenrollRequest()); got.status != http.StatusOK {
				t.Error(got.record)
			}
		})
	}
}

// TestRotation: a host that was off during a whole rotation of the root finds the server by what it
// knows of the old root, renews within the grace, and gets a certificate of the new root with the way
// to it.
func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	w.must(w.server.RenewCertificate(t.Context()))
	old, before := w.root(), w.server.certificate.Load()
	body := csr(t, newKey(t), h.name)
	signedForOld := w.prove(enrollapi.PathRenew, h.leaf, h.key, body)
	w.rotate(func() { w.must(w.server.RenewCertificate(t.Context())) })
	w.server.service = w.anotherService() // another process, which issues no link any more
	w.server.certificate.Store(nil)
	w.must(w.server.RenewCertificate(t.Context()))
	now := w.server.certificate.Load()
	if string(now.path[0].Raw) == string(before.path[0].Raw) || pin(w.root()) == pin(old) {
		t.Fatal("the server goes on with a certificate of the old root")
	}
	for name, root := range map[string]*x509.Certificate{"old": old, "new": w.root()} {
		if !leadsTo(w, now.tls.Certificate[0], now.tls.Certificate[1:], root) {
			t.Errorf("what the server sends does not lead to the %s root", name)
		}
	}
	got := w.post(enrollapi.PathRenew, enrollapi.RenewRequest{Proof: signedForOld, Request: body})
	if got.status != http.StatusOK {
		t.Fatal(got.record)
	}
	if string(got.answer.Bundle[0]) != string(w.root().Raw) || !leadsTo(w, got.answer.Certificate, got.answer.Bundle, w.root()) || !leadsTo(w, got.answer.Certificate, got.answer.Bundle, old) {
		t.Error("the certificate does not lead from the old root to the new one")
	}
	w.verified()
}

// TestRotation_atOnce: a certificate of a root that came into use a moment ago comes with that root.
func TestRotation_atOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.server.RenewCertificate(t.Context()))
	h := &machine{w: w, name: "new-01", key: newKey(t), token: w.token(nil, "new-01")}
	w.rotate(func() {
		got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name))
		if got.status != http.StatusOK || !leadsTo(w, got.answer.Certificate, got.answer.Chain, w.root()) {
			t.Fatal(got.record)
		}
		if !slices.ContainsFunc(got.answer.Bundle, func(der []byte) bool { return string(der) == string(w.root().Raw) }) {
			t.Error("the root of the certificate is not in the bundle")
		}
	})
}

// leadsTo reports whether a certificate leads to a root by way of others.
func leadsTo(w *world, leaf []byte, others [][]byte, root *x509.Certificate) bool {
	w.t.Helper()
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: w.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	options.Roots.AddCert(root)
	for _, der := range others {
		c, err := x509.ParseCertificate(der)
		w.must(err)
		options.Intermediates.AddCert(c)
	}
	c, err := x509.ParseCertificate(leaf)
	w.must(err)
	_, err = c.Verify(options)
	return err == nil
}

// rotate takes the CA from its root to another, and retires the old one.
func (w *world) rotate(switched func()) {
	w.t.Helper()
	ctx := w.t.Context()
	start, err := w.service.PlanStart(ctx)
	w.must(err)
	config, err := start.Config(issuance.RootOptions{})
	w.must(err)
	w.keys[start.Name] = newKey(w.t)
	prepared, err := ca.PrepareRoot(w.keys[start.Name], config, w.now())
	w.must(err)
	root, _, err := w.service.IssueCA(ctx, prepared)
	w.must(err)
	_, err = w.service.Start(ctx, start, root)
	w.must(err)
	change, err := w.service.PlanSwitch(ctx, "")
	w.must(err)
	w.must(w.service.Switch(ctx, change))
	switched()
	finish, err := w.service.PlanFinish(ctx)
	w.must(err)
	w.must(w.service.Retire(ctx, finish))
}

// TestTwoServers: any number of servers share a ledger. What one has done, the others know at once
// (CVE-2020-25276, CVE-2022-41316).
func TestTwoServers(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testenv.Postgres(t))
	one := w.server
	other, err := New(Config{Service: w.anotherService(), Terms: w.terms(), Now: w.now})
	w.must(err)
	at := func(s *Server, path string, message any) result {
		w.server = s
		defer func() { w.server = one }()
		return w.post(path, message)
	}
	h := &machine{w: w, name: "new-01", key: newKey(t), token: w.token(nil, "new-01")}
	request := h.enrollRequest(h.name)
	first, again := at(one, enrollapi.PathEnroll, request), at(other, enrollapi.PathEnroll, request)
	if first.status != http.StatusOK || again.answer.Serial != first.answer.Serial {
		t.Fatalf("serial numbers %q and %q: %s", first.answer.Serial, again.answer.Serial, first.record)
	}
	h.leaf = first.certificate(t)
	renewal := h.renewRequest(h.name, newKey(t))
	renewed, again := at(other, enrollapi.PathRenew, renewal), at(one, enrollapi.PathRenew, renewal)
	if renewed.status != http.StatusOK || again.answer.Serial != renewed.answer.Serial {
		t.Fatalf("serial numbers %q and %q", renewed.answer.Serial, again.answer.Serial)
	}
	w.revoke(renewed.certificate(t), ca.Superseded)
	w.revoke(h.leaf, ca.Superseded)
	for name, s := range map[string]*Server{"one": one, "other": other} {
		if got := at(s, enrollapi.PathRenew, renewal); got.err.Code != enrollapi.Revoked {
			t.Errorf("%s renews a certificate that was revoked: %q", name, got.err.Code)
		}
		if got := at(s, enrollapi.PathEnroll, request); got.err.Code != enrollapi.TokenSpent {
			t.Errorf("%s takes a token whose certificate was revoked", name)
		}
	}
	w.verified()
	if n := len(w.leaves("new-01")); n != 2 {
		t.Errorf("%d certificates", n)
	}
}

// TestParallel_twoServers: 50 uses of a token at the same time, over HTTP by two servers on PostgreSQL,
// give one certificate: to the one key that all have, or to one of 50.
func TestParallel_twoServers(t *testing.T) {
	t.Parallel()
	where := testenv.Postgres(t)
	w := newWorldOn(t, where)
	servers := []*modelServer{newModelServer("A", w), newModelServer("B", openWorld(t, where, w.keys[issuance.RootName]))}
	for _, keys := range []int{1, 50} {
		name := fmt.Sprintf("new-%d", keys)
		token := w.token(nil, name)
		requests := make([]enrollapi.EnrollRequest, keys)
		for i := range requests {
			h := &machine{w: w, name: name, key: newKey(t), token: token}
			requests[i] = h.enrollRequest(name)
		}
		got := make(chan outcome, 50)
		for i := range cap(got) {
			go func() {
				o, err := servers[i%2].ask(enrollapi.PathEnroll, requests[i%keys])
				if err != nil {
					t.Error(err)
				}
				got <- o
			}()
		}
		outcomes := map[string]int{}
		for range cap(got) {
			outcomes[(<-got).String()]++
		}
		refused := outcomes[string(enrollapi.TokenSpent)]
		delete(outcomes, string(enrollapi.TokenSpent))
		if len(outcomes) != 1 || refused != 50-50/keys || len(w.leaves(name)) != 1 {
			t.Errorf("%d keys: %v, %d refused, %d certificates", keys, outcomes, refused, len(w.leaves(name)))
		}
	}
	w.verified()
}
