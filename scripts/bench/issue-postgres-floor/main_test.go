package main

import (
	"testing"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/testenv"
)

// The statements of the floor are those of a ledger: its tables take them.
func TestRun_onALedgersTables(t *testing.T) {
	where := testenv.Postgres(t)
	l, err := ledger.Open(t.Context(), where, ledger.Options{Create: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := run(t.Context(), []string{"64", where}); err != nil {
		t.Fatal(err)
	}
	if seq, _, err := l.Head(t.Context()); seq != 64 || err != nil {
		t.Errorf("the ledger ends with entry %d, %v", seq, err)
	}
}
