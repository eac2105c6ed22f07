package ca

import (
	"strings"
	"testing"
)

func TestParseReason(t *testing.T) {
	for _, r := range Reasons() {
		if got, err := ParseReason(r.String()); err != nil || got != r {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	// As openssl and RFC 5280 write them.
	for name, want := range map[string]Reason{
		"keyCompromise": KeyCompromise, "CACompromise": CACompromise, "cessationOfOperation": CessationOfOperation,
		"removeFromCRL": RemoveFromCRL, "Superseded": Superseded, "AACompromise": AACompromise,
	} {
		if got, err := ParseReason(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "7", "stolen", "reason 7"} {
		if _, err := ParseReason(name); err == nil || !strings.Contains(err.Error(), "one of unspecified, key-compromise, ") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if s := Reason(7).String(); s != "reason 7" {
		t.Error(s)
	}
}
