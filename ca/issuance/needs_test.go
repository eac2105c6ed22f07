package issuance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca/ledger"
)

func TestAuthorityStatus_needs(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	list := func(made, due time.Duration, size int64) *CRLStatus {
		return &CRLStatus{Number: 3, ThisUpdate: now.Add(made), NextUpdate: now.Add(due), Size: size}
	}
	change := func(f func(*AuthorityStatus)) *AuthorityStatus {
		a := &AuthorityStatus{Name: "ca", Kind: ledger.Root, State: ledger.Active, Issuing: true, KeyHere: true, NotAfter: now.Add(1000 * day)}
		f(a)
		return a
	}
	tests := []struct {
		name string
		a    *AuthorityStatus
		want []string // how each begins
	}{
		{"nothing", change(func(*AuthorityStatus) {}), nil},
		{"expires", change(func(a *AuthorityStatus) { a.NotAfter = now.Add(89 * day) }), []string{"the certificate of ca expires on 2027-02-19T12:00:00Z: kedge-ca rotate start"}},
		{"expires later", change(func(a *AuthorityStatus) { a.NotAfter = now.Add(91 * day) }), nil},
		{"expired", change(func(a *AuthorityStatus) { a.NotAfter = now.Add(-day); a.Unlisted = 1 }), []string{"the certificate of ca expired on 2026-11-21"}},
		{"intermediate", change(func(a *AuthorityStatus) { a.Kind, a.Name, a.NotAfter = ledger.Intermediate, "int-1", now.Add(day) }),
			[]string{"the certificate of int-1 expires on 2026-11-23T12:00:00Z: kedge-ca renew --authority int-1"}},
		{"retired", change(func(a *AuthorityStatus) { a.State, a.Issuing, a.NotAfter = ledger.Retired, false, now.Add(day) }), nil},
		{"retired and expired", change(func(a *AuthorityStatus) { a.State, a.NotAfter = ledger.Retired, now.Add(-day) }), nil},
		{"key away", change(func(a *AuthorityStatus) { a.KeyHere = false }), []string{"the key of ca, which issues, is not here"}},
		{"revoked", change(func(a *AuthorityStatus) { a.CertificateRevoked = true }), []string{"the certificate of ca, which issues, or one above it is revoked"}},
		{"no list", change(func(a *AuthorityStatus) { a.Unlisted = 2 }), []string{"the list of ca is behind by 2: kedge-ca crl --issuer ca, and import it"}},
		{"offline", change(func(a *AuthorityStatus) { a.Unlisted, a.Issuing, a.KeyHere = 1, false, false }),
			[]string{"the list of ca is behind by 1: kedge-ca crl --issuer ca, where its key is, and import it"}},
		{"new list", change(func(a *AuthorityStatus) { a.CRL = list(-day, 6*day, 400) }), nil},
		{"old list", change(func(a *AuthorityStatus) { a.CRL = list(-6*day, day, 400) }), []string{"the list of ca is good until 2026-11-23T12:00:00Z: kedge-ca crl"}},
		{"old and behind", change(func(a *AuthorityStatus) { a.CRL, a.Unlisted = list(-8*day, -day, 400), 1 }), []string{"the list of ca is behind by 1"}},
		{"large list", change(func(a *AuthorityStatus) { a.CRL = list(-day, 6*day, 180_000) }), []string{"the list of ca has about 243750 of the 300000 bytes"}},
	}
	for _, tt := range tests {
		got := tt.a.needs(now.Add(-1000*day), now)
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := change(func(*AuthorityStatus) {}).needs(now.Add(day), now); !slices.Equal(got, []string{"the certificate of ca is valid from 2026-11-23T12:00:00Z only: wait, or check the clock of this host"}) {
		t.Errorf("not valid yet: %q", got)
	}
	short := change(func(a *AuthorityStatus) { a.NotAfter = now.Add(3 * day) })
	if got := short.needs(now.Add(-7*day), now); got != nil {
		t.Errorf("a third of a short life is left: %q", got)
	}
}
