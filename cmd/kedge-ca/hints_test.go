package main

import (
	"strings"
	"testing"

	"kedge/ca/ledger"
	"kedge/internal/cli"
)

// TestAdvise_part: the advice for each of those that were not done, once.
func TestAdvise_part(t *testing.T) {
	t.Parallel()
	revoked := func(name string) notDone { return notDone{name, &notRenewedError{what: name, why: "it is revoked"}} }
	part := &partError{verb: "renewed", done: 1, total: 4, failed: []notDone{revoked("a"), revoked("b"), {"c", &ledger.RevokedKeyError{Allowable: true}}}}
	advice := advise(part)
	if strings.Count(advice.Hint, "kedge-ca issue") != 1 || !strings.Contains(advice.Hint, "; make a new key; ") || advice.Code != cli.ExitFailed {
		t.Errorf("%+v", advice)
	}
	part.err = &ledger.UnreachableError{Where: "db"}
	if advice := advise(part); !strings.HasPrefix(advice.Hint, "check the database") || part.Error() == "renewed 1 of 4" {
		t.Errorf("%v: %+v", part, advice)
	}
}
