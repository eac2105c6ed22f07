package ledger

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

func TestRevoke(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		var all [][]byte
		for i := range 4 {
			cert := root.leaf(fmt.Sprint("web-", i), valid(-time.Hour, time.Duration(i+1)*time.Hour))
			add(t, l, ca.Issued{Certificate: cert})
			all = append(all, fingerprint(cert))
		}
		unknown := fingerprint(root.leaf("elsewhere"))
		revoke := func(r ca.Reason, f ...[]byte) error {
			return l.Revoke(t.Context(), f, Revocation{Reason: r, At: noon, Why: "lost"})
		}
		if err := revoke(ca.CertificateHold, all[0], unknown); !strings.Contains(fmt.Sprint(err), "is not in the ledger") {
			t.Errorf("unknown: %v", err)
		}
		if got := found(t, l, Filter{State: Held}); got != nil {
			t.Errorf("held although one was unknown: %v", got)
		}
		if err := revoke(1, all[0], all[1]); err != nil {
			t.Fatal(err)
		}
		if err := revoke(ca.CertificateHold, all[2], all[3]); err != nil {
			t.Fatal(err)
		}
		again, ok := errors.AsType[*RevokedError](revoke(1, all[0]))
		if !ok || again.Subject != "CN=web-0" || !again.At.Equal(noon) || again.Reason != 1 {
			t.Errorf("again: %+v", again)
		}
		if _, ok := errors.AsType[*RevokedError](revoke(ca.CertificateHold, all[2])); !ok {
			t.Error("a second hold was taken")
		}
		if err := revoke(4, all[2]); err != nil {
			t.Errorf("a hold that turns into another reason: %v", err)
		}
		if got, held := found(t, l, Filter{State: Revoked}), found(t, l, Filter{State: Held}); fmt.Sprint(got, held) != "[web-0 web-1 web-2] [web-3]" {
			t.Errorf("revoked %v, held %v", got, held)
		}
		c, err := l.Certificate(t.Context(), all[2])
		if err != nil || !c.RevokedAt.Equal(noon) || c.Reason != 4 || c.State(noon) != Revoked {
			t.Errorf("%+v, %v", c, err)
		}
		checkCRL(t, l, root.cert)

		if err := l.Release(t.Context(), [][]byte{all[3]}, "found"); err != nil {
			t.Fatal(err)
		}
		for i, want := range map[int]string{3: "is not revoked", 0: "was revoked for good"} {
			if err := l.Release(t.Context(), [][]byte{all[i]}, ""); !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("release %d: %v", i, err)
			}
		}
		if got := found(t, l, Filter{State: Valid, Kind: Leaf}); fmt.Sprint(got) != "[web-3]" {
			t.Errorf("valid: %v", got)
		}
	})
}

// checkCRL: what has expired leaves the list, and the others are in the order of their serials.
func checkCRL(t *testing.T, l *Ledger, issuer *x509.Certificate) {
	t.Helper()
	for after, want := range map[time.Duration]int{0: 4, time.Hour: 4, time.Hour + 1e3: 3, 3 * time.Hour: 2, 5 * time.Hour: 0} {
		got, err := l.Revoked(t.Context(), issuer, noon.Add(after))
		if err != nil || len(got) != want {
			t.Errorf("after %v: %v, %v", after, got, err)
		}
		for i := range len(got) - 1 {
			if got[i].Serial.Cmp(got[i+1].Serial) >= 0 {
				t.Errorf("%v does not come before %v", got[i].Serial, got[i+1].Serial)
			}
		}
	}
	if got, err := l.Revoked(t.Context(), newAuthority(t, "Other", nil).cert, noon); len(got) != 0 || err != nil {
		t.Errorf("another issuer: %v, %v", got, err)
	}
}

func TestRevoke_refuses(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	for want, r := range map[string]Revocation{
		"the time is missing":      {Reason: 1},
		"release the certificate":  {Reason: ca.RemoveFromCRL, At: noon},
		`the reason "\x00" is not`: {Reason: 1, At: noon, Why: "\x00"},
		"the number 7":             {Reason: 7, At: noon},
		"the number 42":            {Reason: 42, At: noon},
	} {
		if err := l.Revoke(t.Context(), [][]byte{make([]byte, 32)}, r); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := l.Revoke(t.Context(), nil, Revocation{Reason: 1, At: noon}); !strings.Contains(fmt.Sprint(err), "there is no certificate") {
		t.Errorf("nothing to revoke: %v", err)
	}
	if err := l.Release(t.Context(), nil, ""); !strings.Contains(fmt.Sprint(err), "there is no certificate") {
		t.Errorf("nothing to release: %v", err)
	}
	if seq, _, err := l.Head(t.Context()); seq != 0 || err != nil {
		t.Errorf("entries: %d, %v", seq, err)
	}
}
