package localca

import (
	"os"
	"testing"

	"kedge/internal/cadir"
	"kedge/internal/filelock"
	"kedge/internal/testenv"
)

// TestLockAccount: one operator at a time changes the account, also of two with a folder each and one database.
func TestLockAccount(t *testing.T) {
	t.Parallel()
	x, y := newTestCA(t), newTestCA(t)
	settings := []byte("ledger: " + testenv.Postgres(t) + "\n")
	for _, one := range []*testCA{x, y} {
		if err := os.WriteFile(one.path(cadir.SettingsName), settings, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x.found()
	y.copyFrom(x, "ca.pem", "ca.pem")
	first, sameFolder, otherFolder := x.open(), x.open(), y.open()
	unlock, err := first.LockAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]*CA{"the same folder": sameFolder, "another folder": otherFolder} {
		if again, err := c.LockAccount(t.Context()); !is[*filelock.HeldError](err) {
			t.Errorf("%s: %v", what, err)
			if err == nil {
				again()
			}
		}
	}
	unlock()
	for what, c := range map[string]*CA{"the same folder": sameFolder, "another folder": otherFolder} {
		again, err := c.LockAccount(t.Context())
		if err != nil {
			t.Fatalf("%s, afterwards: %v", what, err)
		}
		again()
	}
}
