package issuance

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	x := newEmpty(t)
	for _, c := range []Config{{}, {Ledger: x.l}, {Now: x.config.Now}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	if _, err := newEmpty(t).Path(t.Context(), ""); !errors.Is(err, ErrNoAuthority) {
		t.Errorf("empty ledger: %v", err)
	}
	x := newCA(t)
	x.intermediate("issuing-1", RootName)
	x.intermediate("issuing-2", "issuing-1")
	path, err := x.Path(t.Context(), "")
	var names []string
	for _, a := range path {
		names = append(names, a.Name)
	}
	if err != nil || !slices.Equal(names, []string{"issuing-2", "issuing-1", "ca"}) {
		t.Errorf("path %q: %v", names, err)
	}
	_, err = x.Path(t.Context(), "other")
	if unknown, ok := errors.AsType[*UnknownAuthorityError](err); !ok || unknown.Name != "other" || len(unknown.Known) != 3 {
		t.Errorf("unknown: %v", err)
	}
}

// TestIssuing_refuses: an authority that is retired or revoked, or below such a one, does not
// issue.
func TestIssuing_refuses(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("issuing-1", RootName)
	x.intermediate("issuing-2", "issuing-1")
	if _, err := x.Issuing(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	changed := x.revoke(ca.CertificateHold, "issuing-1")
	for _, name := range []string{"issuing-1", "issuing-2", ""} {
		_, err := x.Issuing(t.Context(), name)
		if revoked, ok := errors.AsType[*RevokedAuthorityError](err); !ok || revoked.Name != "issuing-1" || revoked.Reason != ca.CertificateHold {
			t.Errorf("%q is on hold: %v", name, err)
		}
	}
	if _, err := x.Release(t.Context(), changed.Certificates, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Issuing(t.Context(), ""); err != nil {
		t.Errorf("released: %v", err)
	}
	a, _, err := x.Known(t.Context(), "issuing-1")
	if err != nil {
		t.Fatal(err)
	}
	a.State, a.Issuing = ledger.Retired, false
	if err := x.setAuthorities(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Issuing(t.Context(), "issuing-1"); err == nil || err.Error() != `the authority "issuing-1" is retired; it issues nothing` {
		t.Errorf("retired: %v", err)
	}
	if _, err := x.Parent(t.Context(), "issuing-1"); err == nil {
		t.Error("a retired authority is a parent")
	}
}

// TestAuthority_once: a key is opened once, however many want to sign at the same time.
func TestAuthority_once(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	path, err := x.Path(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*ca.Authority, 16)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			var err error
			if all[i], err = x.Authority(t.Context(), path); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if x.asked[RootName] != 1 || slices.ContainsFunc(all, func(a *ca.Authority) bool { return a != all[0] }) {
		t.Errorf("opened %d times", x.asked[RootName])
	}
}

// TestAuthority_renewed: what another process renewed counts from the next call on, with the key
// that is open.
func TestAuthority_renewed(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	old := x.open("")
	x.now = x.now.Add(time.Hour)
	prepared, err := old.PrepareRenewal(ca.Renewal{Old: old.Certificate()}, x.now)
	if err != nil {
		t.Fatal(err)
	}
	cert, _, err := x.IssueCA(t.Context(), prepared)
	if err != nil || !cert.Equal(old.Certificate()) {
		t.Fatalf("the certificate of before is not found: %v", err)
	}
	if cert, err = x.IssueAnotherCA(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	a, _, err := x.Known(t.Context(), RootName)
	if err != nil {
		t.Fatal(err)
	}
	a.Certificate = cert
	if err := x.setAuthorities(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got := x.open(""); !got.Certificate().Equal(cert) || x.asked[RootName] != 1 {
		t.Errorf("opened %d times, valid until %v", x.asked[RootName], got.Certificate().NotAfter)
	}
}

// TestAuthority_anotherKey: an open key is not used for an authority that has another by now.
func TestAuthority_anotherKey(t *testing.T) {
	t.Parallel()
	x, other := newCA(t), newCA(t)
	x.open(RootName)
	x.keys[RootName] = other.keys[RootName]
	path, err := other.Path(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := x.Authority(t.Context(), path); err != nil || !a.Certificate().Equal(path[0].Certificate) {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAuthority_refuses(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	path, err := x.Path(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	x.key(RootName) // another
	if _, err := x.Authority(t.Context(), path); err == nil {
		t.Error("a foreign key is taken")
	} else if unusable, ok := errors.AsType[*UnusableError](err); !ok || unusable.Authority != RootName {
		t.Errorf("a foreign key: %v", err)
	}
	keyless, err := New(Config{Ledger: x.l, Now: x.config.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyless.Authority(t.Context(), path); err == nil {
		t.Error("a service without keys opens one")
	} else if missing, ok := errors.AsType[*NoKeyError](err); !ok || missing.Authority != RootName {
		t.Errorf("no keys: %v", err)
	}
}
