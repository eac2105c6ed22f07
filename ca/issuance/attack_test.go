package issuance

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/testenv"
)

// tryLeaf issues a leaf, past what the service checks before: the ledger decides.
func (x *testCA) tryLeaf(issuer, host string) error {
	prepared, err := x.open(issuer).PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: host, Host: host, Lifetime: time.Hour, Public: newKey(x.t).Public()}, x.now)
	if err != nil {
		return err
	}
	_, err = prepared.Issue(x.t.Context(), x.l)
	return err
}

// renewed returns a CA with the authority sub, which was renewed, and both its certificates.
func renewed(t *testing.T) (x *testCA, before, after *x509.Certificate) {
	x = newCA(t)
	before = x.intermediate("sub", "ca").Certificate
	x.now = x.now.Add(time.Hour)
	plan, err := x.PlanAuthorityRenewal(t.Context(), "sub", ca.Renewal{})
	if err != nil {
		t.Fatal(err)
	}
	if after, err = x.RenewAuthority(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	return x, before, after
}

func isRevokedIssuer(err error) bool {
	_, ok := errors.AsType[*ledger.RevokedIssuerError](err)
	return ok
}

func (x *testCA) revokeCert(c *x509.Certificate, reason ca.Reason) {
	x.t.Helper()
	sum := sha256.Sum256(c.Raw)
	if err := x.l.Revoke(x.t.Context(), [][]byte{sum[:]}, ledger.Revocation{Reason: reason, At: x.now}); err != nil {
		x.t.Fatal(err)
	}
}

// TestIssue_compromisedAuthority: the key of an authority issues nothing once one of its certificates,
// also an earlier one, was revoked as compromised.
func TestIssue_compromisedAuthority(t *testing.T) {
	t.Parallel()
	x, before, _ := renewed(t)
	x.revokeCert(before, ca.Superseded)
	if err := x.tryLeaf("sub", "h0"); err != nil {
		t.Errorf("the certificate before was superseded: %v", err)
	}
	x, before, _ = renewed(t)
	x.revokeCert(before, ca.KeyCompromise)
	if err := x.tryLeaf("sub", "h1"); !isRevokedIssuer(err) {
		t.Errorf("the certificate before was compromised: %v", err)
	}
}

// TestTakeIn_older: an authority whose certificate is revoked does not get its older one back.
func TestTakeIn_older(t *testing.T) {
	t.Parallel()
	for _, reason := range []ca.Reason{ca.KeyCompromise, ca.CertificateHold} {
		x, before, after := renewed(t)
		x.revokeCert(after, reason)
		_, err := x.TakeIn(t.Context(), TakeIn{Name: "sub", Path: []*x509.Certificate{before, x.open("ca").Certificate()}})
		if err == nil || !strings.Contains(err.Error(), "would give way to an older one") {
			t.Errorf("%v: %v", reason, err)
		}
		if err := x.tryLeaf("sub", "h"); err == nil {
			t.Errorf("%v: it issues", reason)
		}
	}
}

// TestTakeIn_sameKey: two authorities have two keys, or a revocation of one would not be one of the
// other.
func TestTakeIn_sameKey(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("sub", "ca")
	x.keys["b"] = x.keys["sub"]
	cert := x.foreignCA("sub two", x.keys["sub"].Public(), []byte{1, 2, 3, 4}, 1000*time.Hour)
	_, err := x.TakeIn(t.Context(), TakeIn{Name: "b", Path: []*x509.Certificate{cert, x.open("ca").Certificate()}})
	if err == nil || !strings.Contains(err.Error(), `its key is that of the authority "sub"`) {
		t.Errorf("%v, %v", err, x.states())
	}
}

// TestRevoke_taken: a certificate whose serial number was imported as compromised is not put on
// hold, nor released, when it is imported.
func TestRevoke_taken(t *testing.T) {
	t.Parallel()
	for taken, now := range map[ca.Reason]ca.Reason{ca.KeyCompromise: ca.CertificateHold, ca.CACompromise: ca.Superseded, ca.Superseded: ca.CertificateHold} {
		x := newCA(t)
		root := x.open("ca")
		prepared, err := root.PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: "web", Host: "web", Lifetime: 20 * time.Hour, Public: newKey(t).Public()}, x.now)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := prepared.Issue(t.Context(), ca.Unrecorded{})
		if err != nil {
			t.Fatal(err)
		}
		past := ledger.TakeOver{Authority: root.Certificate(), Revoked: []ca.Revocation{{Serial: cert.SerialNumber, At: x.now, Reason: taken}}}
		if _, err := x.l.TakeOver(t.Context(), past); err != nil {
			t.Fatal(err)
		}
		x.files["web.pem"] = cert
		selector, err := SelectFile("web.pem")
		if err != nil {
			t.Fatal(err)
		}
		chosen, err := x.ToRevoke(t.Context(), []Selector{selector}, now)
		if err == nil {
			_, err = x.Revoke(t.Context(), chosen.Certificates, now, "")
		}
		listed, err2 := x.l.Revoked(t.Context(), root.Certificate(), x.now)
		if err2 != nil || len(listed) != 1 || listed[0].Reason != taken {
			t.Errorf("%v, then %v: %v, %v, the list: %v", taken, now, err, err2, listed)
		}
		x.verified()
	}
}

// TestMakeCRL_race: of two lists that are made at once, the one with the higher number has all that
// the other has.
func TestMakeCRL_race(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	root := x.open("ca").Certificate()
	revoke := func(from, n int64) {
		past := ledger.TakeOver{Authority: root}
		for i := range n {
			past.Revoked = append(past.Revoked, ca.Revocation{Serial: big.NewInt(from + i), At: x.now, Reason: ca.KeyCompromise})
		}
		if _, err := x.l.TakeOver(t.Context(), past); err != nil {
			t.Error(err)
		}
	}
	revoke(1, 500/testenv.Slowdown) // so that reading them takes a while
	pair := []*Service{x.another(), x.another()}
	for i := range int64(15) {
		var made [2]*CRL
		var group sync.WaitGroup
		for n, one := range pair {
			group.Go(func() {
				var err error
				if made[n], err = one.makeCRL(t.Context(), CRLRequest{Authority: "ca", Valid: time.Hour}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Go(func() {
			for k := range int64(3) {
				revoke(10_000+3*i+k, 1)
			}
		})
		group.Wait()
		if t.Failed() {
			return
		}
		early, late := made[0], made[1]
		if early.Number > late.Number {
			early, late = late, early
		}
		if early.Number == late.Number || early.Entries > late.Entries {
			t.Fatalf("list %d has %d entries, list %d has %d", early.Number, early.Entries, late.Number, late.Entries)
		}
	}
}

// TestRotation_together: of two concurrent steps of a rotation, one is refused, and the rotation
// stays consistent.
func TestRotation_together(t *testing.T) {
	t.Parallel()
	for range 10 {
		x := newCA(t)
		x.start()
		x.switchTo("")
		x.finish()
		other := x.another()
		reopen, err := x.PlanReopen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		start, err := x.PlanStart(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		root := x.newRoot(start)
		var group sync.WaitGroup
		var err1, err2 error
		group.Go(func() { err1 = x.Reopen(t.Context(), reopen) })
		group.Go(func() { _, err2 = other.Start(t.Context(), start, root) })
		group.Wait()
		if err1 == nil && err2 == nil {
			t.Error("both went through")
		}
		if _, err := x.Rotation(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestAddIntermediate_switch: an intermediate below the old root that is added beside the switch does not
// turn the rotation round.
func TestAddIntermediate_switch(t *testing.T) {
	t.Parallel()
	for range 10 {
		x := newCA(t)
		x.start()
		config := authorityConfig("sub")
		config.Lifetime /= 2
		prepared, err := x.open("ca").PrepareCA(x.key("sub").Public(), config, x.now)
		if err != nil {
			t.Fatal(err)
		}
		cert, _, err := x.IssueCA(t.Context(), prepared)
		if err != nil {
			t.Fatal(err)
		}
		other := x.another()
		plan, err := x.PlanSwitch(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var err1, err2 error
		group.Go(func() { err1 = x.Switch(t.Context(), plan) })
		group.Go(func() {
			_, err2 = other.AddIntermediate(t.Context(), ledger.Authority{Name: "sub", Certificate: cert, Parent: "ca"}, false)
		})
		group.Wait()
		r, err := x.Rotation(t.Context())
		if err2 != nil || err != nil || r.Old.Name != "ca" || r.Next == nil || r.Next.Name != "ca-2" {
			t.Errorf("%v, %v, %v: %v", err1, err2, err, x.states())
		}
	}
}

// TestTakeOver_interrupted: what a list revokes is in the ledger before the list is.
func TestTakeOver_interrupted(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	root := x.open("ca")
	der, err := root.CRL([]ca.Revocation{{Serial: big.NewInt(77), At: x.now, Reason: ca.KeyCompromise}}, ca.CRLConfig{Number: big.NewInt(5), ThisUpdate: x.now, NextUpdate: x.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := x.TakeOver(t.Context(), "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := taken.Add(t.Context(), Past{Serial: big.NewInt(77), Revoked: &ca.Revocation{At: x.now, Reason: ca.KeyCompromise}}); err != nil {
		t.Fatal(err)
	}
	if _, err := taken.Finish(t.Context(), PastLists{Lists: []*x509.RevocationList{list}, Complete: true}); err != nil {
		t.Fatal(err)
	}
	revoked, recorded := int64(0), int64(0)
	for e, err := range x.l.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if text := string(e.Body); strings.Contains(text, `"4d"`) && revoked == 0 {
			revoked = e.Seq
		} else if strings.Contains(text, `"number":5`) {
			recorded = e.Seq
		}
	}
	if revoked == 0 || recorded == 0 || revoked > recorded {
		t.Errorf("serial 77 is in the entry %d, list 5 in %d", revoked, recorded)
	}
}

// TestTakeOver_sameSerial: a certificate with the serial number of another is not imported; if it
// is revoked, the number is.
func TestTakeOver_sameSerial(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	root := x.open("ca").Certificate()
	cert := func(name string) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: name}, NotBefore: x.now, NotAfter: x.now.Add(99 * time.Hour)},
			root, newKey(t).Public(), x.keys["ca"])
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	taken, err := x.TakeOver(t.Context(), "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(taken.Add(t.Context(), Past{Certificate: cert("a")}),
		taken.Add(t.Context(), Past{Certificate: cert("b"), Revoked: &ca.Revocation{At: x.now, Reason: ca.KeyCompromise}}))
	if err != nil {
		t.Fatal(err)
	}
	done, err := taken.Finish(t.Context(), PastLists{Complete: true})
	if err != nil || len(done.Refused) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if listed, err := x.l.Revoked(t.Context(), root, x.now); err != nil || len(listed) != 1 || listed[0].Reason != ca.KeyCompromise {
		t.Errorf("the list: %v, %v", listed, err)
	}
	x.verified()
}

// TestTakeIn_leaving: an authority imported below a root that is being rotated out does not become
// the issuing one.
func TestTakeIn_leaving(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	cert := x.foreignCA("sub", x.key("sub").Public(), []byte{1, 2, 3, 4}, 1000*time.Hour)
	x.start()
	x.switchTo("")
	if _, err := x.TakeIn(t.Context(), TakeIn{Name: "sub", Path: []*x509.Certificate{cert, x.open("ca").Certificate()}}); err != nil {
		t.Fatal(err)
	}
	if r, err := x.Rotation(t.Context()); err != nil || r.Old.Name != "ca" || r.Issuing.Name != "ca-2" {
		t.Errorf("%v: %v", err, x.states())
	}
}
