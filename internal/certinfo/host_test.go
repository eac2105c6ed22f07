package certinfo

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

func TestTokenOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		change func(*ledger.Token)
		want   string
	}{
		{"new", func(*ledger.Token) {}, TokenUsable},
		{"used", func(k *ledger.Token) { k.Used = 1 }, "spent"},
		{"used by some", func(k *ledger.Token) { k.Used, k.Uses = 1, 2 }, TokenUsable},
		{"late", func(k *ledger.Token) { k.Expires = now }, "expired"},
		{"revoked and used", func(k *ledger.Token) { k.Revoked, k.Used = &now, 1 }, "revoked"},
		{"restored", func(k *ledger.Token) { k.Void, k.Used = true, 1 }, "void"},
	} {
		k := ledger.Token{ID: make([]byte, 12), Names: []string{"web", "a b"}, Profile: "p", Uses: 1, At: now.Add(-time.Hour), Expires: now.Add(time.Hour), Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
		tt.change(&k)
		if d := TokenOf(k, now); d.State != tt.want || d.ID != strings.Repeat("0", 24) || len(d.Networks) != 1 || d.Made != "2026-11-01T11:00:00Z" {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
	words := Token{ID: "ab", Names: []string{"web", "a b"}, Uses: 1, Expires: "T"}.InWords()
	if words != `the token ab for "web", "a b", to be used once until T` {
		t.Error(words)
	}
	if words := (Token{ID: "ab", Pattern: "web-*", Uses: 3, Expires: "T"}).InWords(); words != `the token ab for new names such as "web-*", to be used 3 times until T` {
		t.Error(words)
	}
}

// TestHostOf: what somebody else wrote, such as a reason, cannot change the screen.
func TestHostOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	clone := ledger.Clone{At: now, Presented: []byte{1}, Serial: "0b", Key: []byte{2}, Address: netip.MustParseAddr("198.51.100.7")}
	for _, tt := range []struct {
		name         string
		h            issuance.Host
		proof, alarm string
	}{
		{"plain", issuance.Host{}, "operator", ""},
		{"enrolled", issuance.Host{Holder: ledger.Holder{Enrollment: &ca.Enrollment{Proof: ca.ProofToken}}}, "token", ""},
		{"renewed", issuance.Host{Holder: ledger.Holder{Enrollment: &ca.Enrollment{Proof: ca.ProofRenewal, Address: clone.Address}}}, "renewal", ""},
		{"denied", issuance.Host{Denied: &ledger.Denial{At: now, Why: "x\x1b[2J"}}, "operator", "denied since 2026-11-01T12:00:00Z"},
		{"cloned", issuance.Host{Clones: []ledger.Clone{{}, clone}}, "operator", "cloned: another key tried to renew on 2026-11-01T12:00:00Z from 198.51.100.7, presenting 0b"},
		{"both", issuance.Host{Clones: []ledger.Clone{{At: now, Serial: "0c"}}, Denied: &ledger.Denial{At: now}}, "operator", "cloned: another key tried to renew on 2026-11-01T12:00:00Z, presenting 0c"},
	} {
		tt.h.CommonName = "web\x1b[2J"
		d := HostOf(tt.h)
		if d.Proof != tt.proof || d.alarm() != tt.alarm || len(d.Clones) != len(tt.h.Clones) {
			t.Errorf("%s: %+v, %q", tt.name, d, d.alarm())
		}
		for _, f := range []report.Format{report.Text, report.JSON} {
			var out strings.Builder
			err := HostListing().Write(&out, f, func(yield func(Host, error) bool) { yield(d, nil) })
			if err != nil || strings.Contains(out.String(), "\x1b") || out.Len() == 0 {
				t.Errorf("%s: %v: %q", tt.name, err, out.String())
			}
		}
	}
}
