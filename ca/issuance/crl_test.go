package issuance

import (
	"bytes"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
)

// TestMakeCRL: numbers continue, and each CRL is compared with the previous one.
func TestMakeCRL(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	one, two := x.leaf("web-01", 20*time.Hour), x.leaf("web-02", 20*time.Hour)
	x.revoke(ca.KeyCompromise, "web-01")
	m := x.publish(RootName)
	if m.Number != 1 || m.Entries != 1 || !m.Compared || !slices.Equal(m.Added, []string{serial(one)}) || len(m.Removed) != 0 || m.Size != len(m.PEM) || m.Room == 0 {
		t.Errorf("first: %+v", m)
	}
	list, err := x509.ParseRevocationList(m.DER)
	if err != nil || list.CheckSignatureFrom(x.open("").Certificate()) != nil || len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].ReasonCode != int(ca.KeyCompromise) {
		t.Errorf("first: %+v, %v", list, err)
	}
	x.now = x.now.Add(time.Hour)
	x.revoke(ca.CertificateHold, "web-02")
	if m = x.publish(RootName); m.Number != 2 || m.Entries != 2 || !slices.Equal(m.Added, []string{serial(two)}) {
		t.Errorf("second: %+v", m)
	}
	x.now = x.now.Add(20 * time.Hour)
	if m = x.publish(RootName); m.Number != 3 || m.Entries != 0 || len(m.Removed) != 2 {
		t.Errorf("all expired: %+v", m)
	}
}

// TestMakeCRL_restored: a ledger that was restored from an older backup does not know the last
// list, nor what that revoked. No other list takes its place before a person has decided.
func TestMakeCRL_restored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		request CRLRequest
		entries int
	}{
		{"take", CRLRequest{Valid: time.Hour, Take: true}, 2},
		{"drop", CRLRequest{Valid: time.Hour, Drop: true, Why: "they were a mistake"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newCA(t)
			known := x.leaf("web-01", 20*time.Hour)
			lost, err := x.open("").CRL([]ca.Revocation{
				{Serial: known.SerialNumber, At: x.now, Reason: ca.KeyCompromise}, {Serial: big.NewInt(0x77), At: x.now, Reason: ca.Superseded},
			}, ca.CRLConfig{Number: big.NewInt(41), ThisUpdate: x.now, NextUpdate: x.now.Add(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			x.lists[RootName] = lost
			_, err = x.makeCRL(t.Context(), CRLRequest{Valid: time.Hour})
			forgotten, ok := errors.AsType[*ForgottenError](err)
			if !ok || forgotten.Number != 41 || forgotten.Where != "crl/ca.der" || !slices.Equal(forgotten.Serials, []string{serial(known), "77"}) {
				t.Fatalf("replaced blindly: %v", err)
			}
			if status, err := x.Status(t.Context()); err != nil || !slices.ContainsFunc(status.Needs, func(need string) bool { return strings.HasSuffix(need, "kedge-ca crl --issuer ca --take-list") }) {
				t.Errorf("status: %+v, %v", status, err)
			}
			if all, err := x.Forgotten(t.Context()); err != nil || len(all) != 1 {
				t.Errorf("forgotten: %v, %v", all, err)
			}
			all, _, err := x.ToList(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if drop, err := x.ToDrop(t.Context(), all); err != nil || len(drop) != 1 || !slices.Equal(drop[0].Serials, forgotten.Serials) {
				t.Errorf("to drop: %v, %v", drop, err)
			}
			m, err := x.makeCRL(t.Context(), tt.request)
			if err != nil || m.Number != 42 || m.Entries != tt.entries || !m.Compared {
				t.Errorf("decided: %+v, %v", m, err)
			}
			x.now = x.now.Add(100 * 24 * time.Hour) // a serial without certificate has no end that is known
			x.lists[RootName] = m.DER
			if m, err := x.makeCRL(t.Context(), CRLRequest{Valid: time.Hour}); err != nil || m.Number != 43 || m.Entries != min(tt.entries, 1) {
				t.Errorf("the next: %+v, %v", m, err)
			}
			x.verified()
		})
	}
}

// TestMakeCRL_odd: a file that is not a CRL of the authority is not replaced, since its origin is
// unknown.
func TestMakeCRL_odd(t *testing.T) {
	t.Parallel()
	x, other := newCA(t), newCA(t)
	foreign := other.publish(RootName).DER
	for name, data := range map[string][]byte{"of another CA": foreign, "cut short": foreign[:len(foreign)/2], "empty": {}} {
		x.lists[RootName] = data
		_, err := x.makeCRL(t.Context(), CRLRequest{Valid: time.Hour, Take: true})
		if odd, ok := errors.AsType[*OddListError](err); !ok || odd.Authority != RootName || odd.Where != "crl/ca.der" {
			t.Errorf("%s: %v", name, err)
		}
		all, _, err := x.ToList(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if drop, err := x.ToDrop(t.Context(), all); err != nil || len(drop) != 0 {
			t.Errorf("%s: to drop: %v, %v", name, drop, err)
		}
		if status, err := x.Status(t.Context()); err != nil || !slices.ContainsFunc(status.Needs, func(need string) bool { return strings.HasSuffix(need, ": move it away") }) {
			t.Errorf("%s: status %+v, %v", name, status, err)
		}
	}
}

// TestMakeCRL_keyIdentifier: what an authority revoked under one key identifier stays on its CRLs
// when its certificate is renewed with another, and the numbers continue.
func TestMakeCRL_keyIdentifier(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	above := newCA(t)
	key := x.key("iss")
	certify := func(id byte, lifetime time.Duration) []*x509.Certificate {
		t.Helper()
		cert := above.foreignCA("iss", key.Public(), bytes.Repeat([]byte{id}, 20), lifetime)
		return []*x509.Certificate{cert, above.open("").Certificate()}
	}
	empty := newEmpty(t)
	empty.keys["iss"] = key
	if _, err := empty.TakeIn(t.Context(), TakeIn{Name: "iss", Path: certify(1, 1000*time.Hour)}); err != nil {
		t.Fatal(err)
	}
	leaf := empty.leafBy("iss", "web-01", 20*time.Hour)
	empty.revoke(ca.KeyCompromise, "web-01")
	if m := empty.publish("iss"); m.Number != 1 || m.Entries != 1 {
		t.Fatalf("before: %+v", m)
	}
	if _, err := empty.TakeIn(t.Context(), TakeIn{Name: "iss", Path: certify(2, 2000*time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if status, err := empty.Status(t.Context()); err != nil || !slices.ContainsFunc(status.Needs, func(need string) bool { return strings.HasPrefix(need, "the list of iss is behind by 1:") }) {
		t.Errorf("the list names the key identifier of before: %+v, %v", status, err)
	}
	if m := empty.publish("iss"); m.Number != 2 || m.Entries != 1 || len(m.Removed) != 0 {
		t.Errorf("after: %+v", m)
	}
	changed, err := empty.ToRevoke(t.Context(), empty.selectors("web-01"), ca.KeyCompromise)
	if err == nil {
		t.Errorf("%s is not revoked any more: %+v", serial(leaf), changed)
	}
	empty.verified()
}

// TestRevoke_unknown: a certificate that this CA signed and the ledger does not have is imported
// from its file, and revoked.
func TestRevoke_unknown(t *testing.T) {
	t.Parallel()
	x, other := newCA(t), newCA(t)
	prepared, err := x.open("").PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: "old-01", Lifetime: 20 * time.Hour, Public: newKey(t).Public()}, x.now)
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := prepared.Issue(t.Context(), ca.Unrecorded{})
	if err != nil {
		t.Fatal(err)
	}
	x.files["old-01.pem"], x.files["foreign.pem"] = unknown, other.leaf("foreign", time.Hour)
	file := func(name string) []Selector {
		t.Helper()
		one, err := SelectFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return []Selector{one}
	}
	if _, err := x.ToRevoke(t.Context(), file("foreign.pem"), ca.KeyCompromise); !errors.As(err, new(*NoMatchError)) {
		t.Errorf("one of another CA: %v", err)
	}
	chosen, err := x.ToRevoke(t.Context(), file("old-01.pem"), ca.KeyCompromise)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := x.Revoke(t.Context(), chosen.Certificates, ca.KeyCompromise, "")
	if err != nil || len(changed.Certificates) != 1 || changed.Certificates[0].RevokedAt == nil || len(changed.Behind) != 1 {
		t.Fatalf("%+v, %v", changed, err)
	}
	if m := x.publish(RootName); m.Entries != 1 || !slices.Equal(m.Added, []string{serial(unknown)}) {
		t.Errorf("%+v", m)
	}
	x.verified()
}

// TestMakeCRL_together: services that make lists at the same time never use a number twice, and
// only the last one counts as such.
func TestMakeCRL_together(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	var mu sync.Mutex
	made := map[int64]*CRL{}
	var group sync.WaitGroup
	services := []*Service{x.another(), x.another()}
	for i := range 8 {
		group.Go(func() {
			m, err := services[i%2].makeCRL(t.Context(), CRLRequest{Valid: time.Hour})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			made[m.Number] = m
		})
	}
	group.Wait()
	if len(made) != 8 {
		t.Errorf("%d numbers", len(made))
	}
	for number, m := range made {
		if last, err := x.isLastCRL(t.Context(), m); err != nil || last != (number == 8) {
			t.Errorf("list %d is the last: %v, %v", number, last, err)
		}
	}
}

// TestPublishCRL_overtaken: another process makes a later list, and publishes it first. An older one
// in its place would lack what was revoked since.
func TestPublishCRL_overtaken(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", 20*time.Hour)
	another := x.another()
	var written []int64
	m, err := x.PublishCRL(t.Context(), CRLRequest{Valid: time.Hour}, func(m *CRL) error {
		if len(written) == 0 {
			x.revoke(ca.KeyCompromise, "web-01")
			if later, err := another.makeCRL(t.Context(), CRLRequest{Valid: time.Hour}); err != nil || later.Number != 2 {
				t.Errorf("the later list: %+v, %v", later, err)
			}
		}
		written = append(written, m.Number)
		return nil
	})
	if err != nil || m.Number != 3 || m.Entries != 1 || !slices.Equal(written, []int64{1, 3}) {
		t.Errorf("%+v, %v; written: %v", m, err, written)
	}
}

// TestPublishCRL_again: the attempts to publish a list that others overtake again and again end, and
// so do they with an error of the caller's.
func TestPublishCRL_again(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	another := x.another()
	n := 0
	_, err := x.PublishCRL(t.Context(), CRLRequest{Valid: time.Hour}, func(*CRL) error {
		n++
		_, err := another.makeCRL(t.Context(), CRLRequest{Valid: time.Hour})
		return err
	})
	if n != maxRaces || err == nil || err.Error() != `write the list of "ca": other processes write it again and again` {
		t.Errorf("after %d attempts: %v", n, err)
	}
	full := errors.New("the disk is full")
	if _, err := x.PublishCRL(t.Context(), CRLRequest{Valid: time.Hour}, func(*CRL) error { return full }); err != full {
		t.Errorf("%v, want %v", err, full)
	}
}

func TestMakeCRL_delta(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	cert := x.leaf("web-01", 20*time.Hour)
	delta := CRLRequest{Valid: time.Hour, Delta: true}
	refused := func(step, want string) {
		t.Helper()
		_, err := x.makeCRL(t.Context(), delta)
		if lost, ok := errors.AsType[*NoBaseError](err); !ok || !strings.HasSuffix(lost.Error(), want) {
			t.Errorf("%s: %v", step, err)
		}
	}
	refused("no list", "there is no complete list yet")
	x.publish(RootName)
	x.revoke(ca.KeyCompromise, "web-01")
	m, err := x.makeCRL(t.Context(), delta)
	if err != nil || m.Base != 1 || m.Number != 2 || !slices.Equal(m.Added, []string{serial(cert)}) {
		t.Errorf("%+v, %v", m, err)
	}
	delete(x.lists, RootName)
	refused("lost", "list 1, the last complete one, is not in crl/ca.der any more")
}

func TestToList(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("issuing-1", RootName)
	x.leaf("web-01", time.Hour)
	all, warnings, err := x.ToList(t.Context(), nil)
	if err != nil || len(all) != 2 || len(warnings) != 0 {
		t.Errorf("%v, %q, %v", all, warnings, err)
	}
	delete(x.keys, "issuing-1")
	x.revoke(ca.Superseded, "web-01")
	all, warnings, err = x.ToList(t.Context(), nil)
	if err != nil || len(all) != 1 || !slices.Equal(warnings, []string{`the list of "issuing-1" is not made: its key is not here, and it has revoked 1 certificate`}) {
		t.Errorf("a key elsewhere: %v, %q, %v", all, warnings, err)
	}
	if all, _, err = x.ToList(t.Context(), []string{"issuing-1"}); err != nil || len(all) != 1 {
		t.Errorf("named: %v, %v", all, err)
	}
	if _, _, err = x.ToList(t.Context(), []string{"other"}); !errors.As(err, new(*UnknownAuthorityError)) {
		t.Errorf("unknown: %v", err)
	}
	delete(x.keys, RootName)
	if _, _, err = x.ToList(t.Context(), nil); !errors.Is(err, ErrNoKeys) {
		t.Errorf("no keys: %v", err)
	}
}

// TestMakeCRL_unpublished: a list that was recorded and not published, as by a process that was
// killed, does not make the one before it a list that the ledger does not have.
func TestMakeCRL_unpublished(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", 20*time.Hour)
	held := x.revoke(ca.CertificateHold, "web-01")
	x.publish(RootName)
	if _, err := x.Release(t.Context(), held.Certificates, ""); err != nil {
		t.Fatal(err)
	}
	for number := int64(2); number < 4; number++ {
		m, err := x.makeCRL(t.Context(), CRLRequest{Authority: RootName, Valid: time.Hour})
		if err != nil || m.Number != number || m.Entries != 0 {
			t.Fatalf("list %d: %+v, %v", number, m, err)
		}
	}
}
