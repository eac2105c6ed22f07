package certinfo

import (
	"slices"
	"strings"
	"testing"

	"kedge/ca/issuance"
	"kedge/internal/report"
)

func TestCRLNotes(t *testing.T) {
	t.Parallel()
	days := func(n float64) *float64 { return &n }
	for _, tt := range []struct {
		made issuance.CRL
		want report.Note
	}{
		{issuance.CRL{Size: 300_001}, report.Note{Label: "warning", Text: "ca.crl has 300001 bytes; IAM Roles Anywhere takes 300000 at most: rotate to a new CA, or issue for shorter times"}},
		{issuance.CRL{Size: 290_000, DaysLeft: days(12), PerDay: 8}, report.Note{Label: "warning", Text: "ca.crl has 290000 of 300000 bytes: room for 7 more, for about 12 days at 8.0 a day: rotate to a new CA before, or issue for shorter times"}},
		{issuance.CRL{Size: 1000, DaysLeft: days(99), PerDay: 8}, report.Note{Label: "done", Text: "ca.crl has 1000 of 300000 bytes: room for 7 more, for about 99 days at 8.0 a day"}},
		{issuance.CRL{Size: 1000}, report.Note{Label: "done", Text: "ca.crl has 1000 of 300000 bytes: room for 7 more; it does not grow"}},
		{issuance.CRL{Compared: true, Added: strings.Split("abcdefghijkl", "")}, report.Note{Label: "done", Text: "added a, b, c, d, e, f, g, h, i, j and 2 more"}},
		{issuance.CRL{Compared: true, Removed: []string{"a"}}, report.Note{Label: "done", Text: "removed a"}},
		{issuance.CRL{Authority: "ca"}, report.Note{Label: "warning", Text: `the list of "ca" may lack certificates that it revoked before it was taken over: kedge-ca ledger import`}},
	} {
		tt.made.MaxSize, tt.made.Room = 300_000, 7
		if got := CRLNotes(&tt.made, "ca.crl", true); !slices.Contains(got, tt.want) {
			t.Errorf("%q\nwant %q", got, tt.want)
		}
	}
	for _, n := range CRLNotes(&issuance.CRL{Number: 4, Base: 3}, "ca.crl", false) { // a delta is not for IAM Roles Anywhere
		if strings.Contains(n.Text, "bytes") || strings.Contains(n.Text, "lack") {
			t.Error(n)
		}
	}
}

func TestDropQuestion(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]issuance.ForgottenError{
		"drop crl/ca.der, of which the ledger has all revocations?":           {Where: "crl/ca.der", Number: 3},
		`let 1 certificate count again that list 3 of "ca" revokes: 0a?`:      {Authority: "ca", Number: 3, Serials: []string{"0a"}},
		`let 2 certificates count again that list 3 of "ca" revokes: 0a, 0b?`: {Authority: "ca", Number: 3, Serials: []string{"0a", "0b"}},
	} {
		if got := DropQuestion(&f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
