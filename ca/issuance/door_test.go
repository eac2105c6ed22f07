package issuance

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// record returns what the ledger has of a certificate.
func (x *testCA) record(c *x509.Certificate) ledger.Certificate {
	x.t.Helper()
	sum := sha256.Sum256(c.Raw)
	found, err := x.Certificate(x.t.Context(), sum[:])
	if err != nil {
		x.t.Fatal(err)
	}
	return found
}

// rekeyed renews a certificate with another key.
func (x *testCA) rekeyed(old *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	x.t.Helper()
	issuer, err := x.Issuer(x.t.Context(), "")
	if err != nil {
		x.t.Fatal(err)
	}
	issued, err := issuer.Renew(x.t.Context(), Renewal{Old: x.record(old), Renewal: ca.Renewal{Profile: ca.DefaultProfile(), Public: key}})
	if err != nil {
		x.t.Fatal(err)
	}
	return issued.Certificate
}

// TestPathOf: the issuers of a certificate up to the root, whichever authority issues now.
func TestPathOf(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	byRoot := x.leaf("a", time.Hour)
	x.intermediate("sub", RootName)
	bySub := x.leafBy("sub", "b", time.Hour)
	for _, tt := range []struct {
		leaf *x509.Certificate
		want []string
	}{
		{byRoot, []string{"kedge CA"}}, {bySub, []string{"sub", "kedge CA"}},
	} {
		path, err := x.PathOf(t.Context(), tt.leaf)
		if err != nil || len(path) != len(tt.want) {
			t.Fatalf("%v, %v", path, err)
		}
		for i, c := range path {
			if c.Subject.CommonName != tt.want[i] {
				t.Errorf("%d: %s", i, c.Subject)
			}
		}
	}
	other := newCA(t)
	unknown, ok := errors.AsType[*UnknownAuthorityError](func() error { _, err := x.PathOf(t.Context(), other.leaf("c", time.Hour)); return err }())
	if !ok || unknown.Name == "" {
		t.Error("the certificate of another CA of the same name")
	}
	if roots, err := x.Roots(t.Context()); err != nil || len(roots) != 1 || roots[0].Name != RootName {
		t.Errorf("%v, %v", roots, err)
	}
}

// TestGiveUp: the holder of the newest key of a lineage ends it; nobody else does.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	first := x.leaf("a", time.Hour)
	second := x.rekeyed(first, newKey(t).Public())
	third := x.rekeyed(second, second.PublicKey)
	other := x.leaf("b", time.Hour)
	if _, err := x.GiveUp(t.Context(), x.record(first), ""); !isError[*ledger.CloneError](err) {
		t.Errorf("by the first key: %v", err)
	}
	x.now = x.now.Add(time.Minute)
	changed, err := x.GiveUp(t.Context(), x.record(second), "gone")
	if err != nil || len(changed.Certificates) != 3 {
		t.Fatalf("%v, %v", changed, err)
	}
	for _, c := range []*x509.Certificate{first, second, third} {
		if r := x.record(c); r.RevokedAt == nil || r.Reason != ca.CessationOfOperation {
			t.Errorf("%s is not revoked", r.Serial)
		}
	}
	if x.record(other).RevokedAt != nil {
		t.Error("the certificate of another host is revoked")
	}
	if _, err := x.GiveUp(t.Context(), x.record(third), ""); !isError[*ledger.RevokedError](err) {
		t.Errorf("again: %v", err)
	}
	replaced := x.leaf("b", time.Hour)
	if _, err := x.GiveUp(t.Context(), x.record(other), ""); !isError[*ledger.EndedError](err) {
		t.Errorf("an ended lineage: %v", err)
	}
	x.now = x.now.Add(2 * time.Hour)
	if changed, err := x.GiveUp(t.Context(), x.record(replaced), ""); err != nil || len(changed.Certificates) != 1 {
		t.Errorf("an expired certificate that could be renewed: %v", err)
	}
	x.verified()
}

func isError[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
