package certinfo

import (
	"slices"
	"testing"

	"kedge/internal/awscrl"
	"kedge/internal/report"
)

func TestPushNotes(t *testing.T) {
	t.Parallel()
	r := awscrl.Result{Authority: "ca", ARN: "ARN", Before: 3, Number: 4, Entries: 2, Twins: []string{"TWIN"}}
	twin := report.Note{Label: "warning", Text: `TWIN is another list of "ca", which is not kept up to date: aws rolesanywhere delete-crl --crl-id TWIN`}
	for change, want := range map[awscrl.Change]string{
		awscrl.Imported:  `imported list 4 of "ca", with 2 revoked, as ARN: read back`,
		awscrl.Updated:   `replaced list 3 by list 4 of "ca", with 2 revoked, in ARN: read back`,
		awscrl.Unchanged: `ARN has list 4 of "ca", with 2 revoked already`,
	} {
		r.Change = change
		if got := PushNotes(&r); !slices.Equal(got, report.Notes{{Label: "done", Text: want}, twin}) {
			t.Errorf("%s: %q", change, got)
		}
	}
}

func TestTakenNotes(t *testing.T) {
	t.Parallel()
	got := TakenNotes("ca", awscrl.Taken{ARN: "ARN", Number: 7, Serials: []string{"0a", "0b"}})
	want := report.Notes{
		{Label: "done", Text: `took list 7 of "ca", which AWS has as ARN, into the ledger: 2 revocations`}, {Label: "done", Text: "revoked 0a, 0b"},
		{Label: "next", Text: "make a list that has them, and push it: kedge-ca crl --issuer ca; kedge-ca aws crl push --issuer ca"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := TakenNotes("ca", awscrl.Taken{}); len(got) != 2 {
		t.Errorf("without revocations: %q", got)
	}
}
