package issuance

import (
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

// TestMakeCRL: numbers go on, and each list is compared with the one before.
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

// TestMakeCRL_restored: a ledger that was restored does not know the last list. Its number is not
// used again, and what has changed is not guessed.
func TestMakeCRL_restored(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	later, err := x.open("").CRL(nil, ca.CRLConfig{Number: big.NewInt(41), ThisUpdate: x.now, NextUpdate: x.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	x.lists[RootName] = later
	if m := x.publish(RootName); m.Number != 42 || m.Compared {
		t.Errorf("%+v", m)
	}
	other := newCA(t)
	other.lists[RootName] = later
	if m := other.publish(RootName); m.Number != 1 || !m.Compared {
		t.Errorf("the list of another CA: %+v", m)
	}
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
			m, err := services[i%2].MakeCRL(t.Context(), CRLRequest{Valid: time.Hour})
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
		if last, err := x.IsLastCRL(t.Context(), m); err != nil || last != (number == 8) {
			t.Errorf("list %d is the last: %v, %v", number, last, err)
		}
	}
}

func TestMakeCRL_delta(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	cert := x.leaf("web-01", 20*time.Hour)
	delta := CRLRequest{Valid: time.Hour, Delta: true}
	refused := func(step, want string) {
		t.Helper()
		_, err := x.MakeCRL(t.Context(), delta)
		if lost, ok := errors.AsType[*NoBaseError](err); !ok || !strings.HasSuffix(lost.Error(), want) {
			t.Errorf("%s: %v", step, err)
		}
	}
	refused("no list", "there is no complete list yet")
	x.publish(RootName)
	x.revoke(ca.KeyCompromise, "web-01")
	m, err := x.MakeCRL(t.Context(), delta)
	if err != nil || m.Base != 1 || m.Number != 2 || !slices.Equal(m.Added, []string{serial(cert)}) {
		t.Errorf("%+v, %v", m, err)
	}
	delete(x.lists, RootName)
	refused("lost", "list 1, the last complete one, is not in its place any more")
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
	if err != nil || len(all) != 1 || len(warnings) != 1 || !strings.HasPrefix(warnings[0], `the list of "issuing-1" is not made: its key is not here, and it has revoked 1`) {
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
